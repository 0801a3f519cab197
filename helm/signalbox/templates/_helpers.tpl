{{/* Names and labels. */}}

{{- define "signalbox.name" -}}
{{ default .Chart.Name .Values.nameOverride | trunc 26 | trimSuffix "-" }}
{{- end }}

{{/* Kept to 26 characters: a StatefulSet adds "-link-" and 20 of a link's name, and may have 52. */}}
{{- define "signalbox.fullname" -}}
{{- $name := include "signalbox.name" . -}}
{{- $full := ternary .Release.Name (printf "%s-%s" .Release.Name $name) (contains $name .Release.Name) -}}
{{ default $full .Values.fullnameOverride | trunc 26 | trimSuffix "-" }}
{{- end }}

{{/* What tells the pods of a component from all others, for good. Called with (list $ component). */}}
{{- define "signalbox.selector" -}}
{{- $root := index . 0 -}}
app.kubernetes.io/name: {{ include "signalbox.name" $root }}
app.kubernetes.io/instance: {{ $root.Release.Name }}
{{- with index . 1 }}
app.kubernetes.io/component: {{ . }}
{{- end }}
{{- end }}

{{- define "signalbox.labels" -}}
{{- $root := index . 0 -}}
{{ include "signalbox.selector" . }}
app.kubernetes.io/version: {{ $root.Chart.AppVersion | quote }}
app.kubernetes.io/part-of: signalbox
app.kubernetes.io/managed-by: {{ $root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" $root.Chart.Name $root.Chart.Version }}
{{- with $root.Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{- define "signalbox.serviceAccount" -}}
{{- if .Values.serviceAccount.create -}}
{{ default (include "signalbox.fullname" .) .Values.serviceAccount.name }}
{{- else -}}
{{ default "default" .Values.serviceAccount.name }}
{{- end }}
{{- end }}

{{- define "signalbox.image" -}}
{{- with .Values.image -}}
{{- if .digest -}}
{{ printf "%s@%s" .repository .digest }}
{{- else -}}
{{ printf "%s:%s" .repository (default $.Chart.AppVersion .tag) }}
{{- end }}
{{- end }}
{{- end }}

{{- define "signalbox.brokers" -}}
{{- if .Values.bundled.enabled -}}
{{ include "signalbox.fullname" . }}-kafka:9092
{{- else -}}
{{ .Values.kafka.brokers }}
{{- end }}
{{- end }}

{{/* Copies of a record: the one broker that is bundled can hold one. */}}
{{- define "signalbox.replication" -}}
{{ ternary 1 (int .Values.kafka.replication) .Values.bundled.enabled }}
{{- end }}

{{/* The port at the end of an address, or of a URL by its scheme. */}}
{{- define "signalbox.port" -}}
{{- $host := regexReplaceAll "^[a-z]+://" . "" | splitList "/" | first -}}
{{- $port := regexFind ":[0-9]+$" $host | trimPrefix ":" -}}
{{- if $port }}{{ $port }}{{ else if hasPrefix "http://" . }}80{{ else if hasPrefix "redis" . }}6379{{ else }}443{{ end -}}
{{- end }}

{{/* A value as TOML. Numbers of a values file are floats to Helm, so a whole one is written as such. */}}
{{- define "signalbox.toml" -}}
{{- if kindIs "map" . -}}
{ {{ range $at, $key := keys . | sortAlpha }}{{ if $at }}, {{ end }}{{ $key | quote }} = {{ include "signalbox.toml" (get $ $key) }}{{ end }} }
{{- else if kindIs "slice" . -}}
[{{ range $at, $item := . }}{{ if $at }}, {{ end }}{{ include "signalbox.toml" $item }}{{ end }}]
{{- else if kindIs "string" . -}}
{{ toJson . }}
{{- else if kindIs "float64" . -}}
{{ if eq (floor .) . }}{{ int64 . }}{{ else }}{{ . }}{{ end }}
{{- else -}}
{{ . }}
{{- end -}}
{{- end }}

{{/* Keys of a map as lines of TOML. */}}
{{- define "signalbox.tomlLines" -}}
{{- range $key := keys . | sortAlpha }}
{{ $key }} = {{ include "signalbox.toml" (get $ $key) }}
{{- end }}
{{- end }}
