{{/* Rules of NetworkPolicies. */}}

{{/* Names are asked of any resolver of the cluster. */}}
{{- define "signalbox.network.dns" -}}
- ports: [{port: 53, protocol: UDP}, {port: 53, protocol: TCP}]
{{- end }}

{{/* The way to one of the bundled servers or to those outside; called with (list $ component peers ports). */}}
{{- define "signalbox.network.way" -}}
{{- $root := index . 0 -}}{{- $peers := index . 2 -}}
- ports:
    {{- range index . 3 | uniq }}
    - {port: {{ int . }}, protocol: TCP}
    {{- end }}
  {{- if $root.Values.bundled.enabled }}
  to:
    - podSelector:
        matchLabels: {{- include "signalbox.selector" (list $root (index . 1)) | nindent 10 }}
  {{- else if $peers }}
  to: {{- toYaml $peers | nindent 4 }}
  {{- end }}
{{- end }}

{{/* What every role reaches: names, brokers, Redis and a collector of traces. */}}
{{- define "signalbox.network.backing" -}}
{{ include "signalbox.network.dns" . }}
{{ include "signalbox.network.kafka" . }}
{{- $url := ternary "redis://bundled:6379" .Values.redis.url .Values.bundled.enabled }}
{{- $port := ternary (include "signalbox.port" $url) (.Values.redis.port | toString) (not (empty $url)) }}
{{ include "signalbox.network.way" (list . "redis" .Values.networkPolicy.redis (list $port)) }}
{{- with .Values.traces.otlp }}
- ports: [{port: {{ include "signalbox.port" . }}, protocol: TCP}]
  {{- with $.Values.networkPolicy.collector }}
  to: {{- toYaml . | nindent 4 }}
  {{- end }}
{{- end }}
{{- end }}

{{- define "signalbox.network.kafka" -}}
{{- $ports := list -}}
{{- range splitList "," (include "signalbox.brokers" .) }}{{ $ports = append $ports (include "signalbox.port" (trim .)) }}{{ end -}}
{{- range .Values.networkPolicy.kafkaPorts }}{{ $ports = append $ports (int . | toString) }}{{ end -}}
{{ include "signalbox.network.way" (list . "kafka" .Values.networkPolicy.kafka $ports) }}
{{- end }}

{{/* Who may call port `name`; called with (list peers name). No peers = everybody. */}}
{{- define "signalbox.network.from" -}}
- ports: [{port: {{ index . 1 }}, protocol: TCP}]
  {{- with index . 0 }}
  from: {{- toYaml . | nindent 4 }}
  {{- end }}
{{- end }}

{{/* Operators: pods of this release, and whom the values name. */}}
{{- define "signalbox.network.operators" -}}
{{- $own := dict "podSelector" (dict "matchLabels" (include "signalbox.selector" (list . "") | fromYaml)) -}}
{{ include "signalbox.network.from" (list (concat (list $own) .Values.networkPolicy.operators) "grpc") }}
{{- end }}
