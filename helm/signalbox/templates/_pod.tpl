{{/* What the pods of all roles have in common. */}}

{{/* Restricted: no root, nothing to gain, no way into the API. */}}
{{- define "signalbox.podSecurity" -}}
automountServiceAccountToken: false
enableServiceLinks: false
securityContext:
  runAsNonRoot: true
  runAsUser: 65532
  runAsGroup: 65532
  fsGroup: 65532
  seccompProfile: {type: RuntimeDefault}
{{- end }}

{{- define "signalbox.containerSecurity" -}}
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities: {drop: [ALL]}
{{- end }}

{{/* Seconds a pod has: the pause, the drain with its slack, and as long again to flush the log. */}}
{{- define "signalbox.grace" -}}
{{ add 5 (mul 2 (int .Values.drainSeconds)) 15 }}
{{- end }}

{{/* Liveness asks the process alone, readiness what it stands on too; at the start a table is compiled and checked. */}}
{{- define "signalbox.probes" -}}
startupProbe:
  httpGet: {path: /livez, port: probes}
  periodSeconds: 2
  failureThreshold: 60
livenessProbe:
  httpGet: {path: /livez, port: probes}
  periodSeconds: 10
  timeoutSeconds: 5
  failureThreshold: 3
readinessProbe:
  httpGet: {path: /readyz, port: probes}
  periodSeconds: 2
  timeoutSeconds: 3
  failureThreshold: 2
{{- end }}

{{/* Where pods go; called with (list $ component settings). */}}
{{- define "signalbox.placement" -}}
{{- $root := index . 0 -}}{{- $component := index . 1 -}}{{- $settings := index . 2 -}}
serviceAccountName: {{ include "signalbox.serviceAccount" $root }}
{{- with $root.Values.image.pullSecrets }}
imagePullSecrets:
  {{- range . }}
  - name: {{ . }}
  {{- end }}
{{- end }}
{{- with $settings.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- with $settings.nodeSelector }}
nodeSelector: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $settings.tolerations }}
tolerations: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $settings.affinity }}
affinity: {{- toYaml . | nindent 2 }}
{{- end }}
topologySpreadConstraints:
  {{- range list "topology.kubernetes.io/zone" "kubernetes.io/hostname" }}
  - topologyKey: {{ . }}
    maxSkew: 1
    whenUnsatisfiable: ScheduleAnyway
    labelSelector:
      matchLabels: {{- include "signalbox.selector" (list $root $component) | nindent 8 }}
  {{- end }}
{{- end }}

{{/* The container of a role; called with (list $ role resources). Mounts and ports follow. */}}
{{- define "signalbox.container" -}}
{{- $root := index . 0 -}}{{- $role := index . 1 -}}{{- $resources := index . 2 -}}
image: {{ include "signalbox.image" $root }}
imagePullPolicy: {{ $root.Values.image.pullPolicy }}
args: [{{ $role }}, --config, /etc/signalbox/config/signalbox.toml]
{{ include "signalbox.containerSecurity" $root }}
{{ include "signalbox.probes" $root }}
lifecycle:
  # Balancers hear of the pod's end before it turns callers away.
  preStop:
    sleep: {seconds: 5}
resources: {{- toYaml $resources | nindent 2 }}
{{- end }}

{{/* What is logged, as a variable. */}}
{{- define "signalbox.env" -}}
{{- with .Values.logs.filter }}
- {name: RUST_LOG, value: {{ . | quote }}}
{{- end }}
{{- end }}
