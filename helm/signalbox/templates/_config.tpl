{{/* What stands in the files of every role, and how they are mounted. */}}

{{/* [bus], [store], [telemetry] and [service]. */}}
{{- define "signalbox.config.common" -}}
{{- $values := .Values -}}
[bus]
kind = "kafka"
brokers = {{ include "signalbox.brokers" . | quote }}
partitions = {{ int $values.kafka.partitions }}
replication = {{ include "signalbox.replication" . }}
{{- with $values.kafka.tls }}{{ if .enabled }}
tls = { {{ include "signalbox.config.trust" (list . "kafka") }} }
{{- end }}{{ end }}
{{- with $values.kafka.sasl }}{{ if .mechanism }}
sasl = { mechanism = {{ .mechanism | quote }}, user = {{ .user | quote }}, password = { file = "/etc/signalbox/kafka-user/{{ .passwordKey }}" } }
{{- end }}{{ end }}

[store]
kind = "redis"
{{- if $values.bundled.enabled }}
url = "redis://{{ include "signalbox.fullname" . }}-redis:6379"
{{- else if $values.redis.existingSecret }}
url = { file = "/etc/signalbox/redis/{{ $values.redis.urlKey }}" }
{{- else }}
url = {{ $values.redis.url | quote }}
{{- end }}
{{- with $values.redis.tls }}{{ if .existingSecret }}
tls = { {{ include "signalbox.config.trust" (list . "redis") }} }
{{- end }}{{ end }}

[telemetry]
http = "0.0.0.0:9090"
log = {{ $values.logs.format | quote }}
{{- with $values.traces }}{{ if .otlp }}
otlp = {{ .otlp | quote }}
sample_ratio = {{ .sampleRatio }}
{{- end }}{{ end }}

[service]
drain = "{{ int $values.drainSeconds }}s"
{{- end }}

{{/* Keys of a client's tls: whom it trusts, and who it is. */}}
{{- define "signalbox.config.trust" -}}
{{- $tls := index . 0 -}}{{- $at := printf "/etc/signalbox/%s-tls" (index . 1) -}}
{{- if $tls.existingSecret }}ca = "{{ $at }}/ca.crt"{{ end }}
{{- if $tls.clientCertificate }}, certificate = "{{ $at }}/tls.crt", key = "{{ $at }}/tls.key"{{ end }}
{{- end }}

{{/* A server's tls; called with (list tls clientCa). */}}
{{- define "signalbox.config.tls" -}}
tls = { certificate = "/etc/signalbox/tls/tls.crt", key = "/etc/signalbox/tls/tls.key"{{ if index . 1 }}, client_ca = "/etc/signalbox/tls/ca.crt"{{ end }} }
{{- end }}

{{- define "signalbox.config.ingest" -}}
{{- $ingest := .Values.ingest -}}
{{ include "signalbox.config.common" . }}

[ingest]
grpc = "0.0.0.0:7070"
accounts = "/etc/signalbox/accounts/{{ ternary "accounts.toml" $ingest.accounts.key (empty $ingest.accounts.existingSecret) }}"
key_secret = { file = "/etc/signalbox/record-key/{{ ternary "key_secret" $ingest.recordKey.key (empty $ingest.recordKey.existingSecret) }}" }
{{- if $ingest.tls.enabled }}
{{ include "signalbox.config.tls" (list $ingest.tls $ingest.tls.clientCa) }}
{{- end }}
{{- end }}

{{- define "signalbox.config.router" -}}
{{- $router := .Values.router -}}
{{ include "signalbox.config.common" . }}

[table]
{{- if .Values.table.source }}
source = {{ .Values.table.source | quote }}
{{- else }}
path = "/etc/signalbox/table{{ with .Values.table.path }}/{{ . }}{{ end }}"
{{- end }}
last_good = "/var/lib/signalbox/table.good"
{{- if $router.grpc.enabled }}

[router]
grpc = "0.0.0.0:7072"
{{- if $router.grpc.tls.enabled }}
{{ include "signalbox.config.tls" (list $router.grpc.tls true) }}
{{- end }}
{{- end }}
{{- if $router.lookup.enabled }}

[lookup]
providers = "/etc/signalbox/config/providers.toml"
{{- if $router.lookup.existingSecret }}
secret = { file = "/etc/signalbox/lookup/secret" }
{{- end }}
{{- include "signalbox.tomlLines" $router.lookup.settings }}
{{- end }}
{{- end }}

{{- define "signalbox.config.connector" -}}
{{- $connector := .Values.connector -}}
{{ include "signalbox.config.common" . }}

[connector]
links = "/etc/signalbox/links/links.toml"
{{- if $connector.grpc.enabled }}
grpc = "0.0.0.0:7074"
{{- if $connector.grpc.tls.enabled }}
{{ include "signalbox.config.tls" (list $connector.grpc.tls true) }}
{{- end }}
{{- end }}
{{- end }}

{{/* links.toml of one link; called with (list $ link). */}}
{{- define "signalbox.config.links" -}}
{{- $root := index . 0 -}}{{- $link := index . 1 -}}
{{- $settings := deepCopy (default dict $link.settings) -}}
{{- range $key, $secret := dict "password" $link.passwordSecret "key" $link.keySecret }}
{{- if $secret }}{{ $_ := set $settings $key (dict "file" (printf "/etc/signalbox/link-%s/%s" $key $secret.key)) }}{{ end }}
{{- end }}
{{- if $link.webhook }}
{{- $_ := set $settings "webhook" (merge (dict "listen" "0.0.0.0:7075") (default dict $settings.webhook)) }}
{{- end -}}
[[link]]
name = {{ $link.name | quote }}
kind = {{ $link.kind | quote }}
carriers = {{ include "signalbox.toml" $link.carriers }}
{{- include "signalbox.tomlLines" $settings }}
{{- with $settings.map }}

[map.{{ . }}]
{{- include "signalbox.tomlLines" (get $root.Values.linkMaps .) }}
{{- end }}
{{- end }}

{{/* Volumes that every role has: what log and store are reached with. */}}
{{- define "signalbox.volumes.common" -}}
{{- with .Values.kafka.tls }}{{ if and .enabled .existingSecret }}
- name: kafka-tls
  secret: {secretName: {{ .existingSecret }}, defaultMode: 0440}
{{- end }}{{ end }}
{{- with .Values.kafka.sasl }}{{ if .mechanism }}
- name: kafka-user
  secret: {secretName: {{ .existingSecret }}, defaultMode: 0440}
{{- end }}{{ end }}
{{- with .Values.redis }}{{ if and .existingSecret (not $.Values.bundled.enabled) }}
- name: redis
  secret: {secretName: {{ .existingSecret }}, defaultMode: 0440}
{{- end }}
{{- if .tls.existingSecret }}
- name: redis-tls
  secret: {secretName: {{ .tls.existingSecret }}, defaultMode: 0440}
{{- end }}{{ end }}
{{- end }}

{{- define "signalbox.mounts.common" -}}
{{- if and .Values.kafka.tls.enabled .Values.kafka.tls.existingSecret }}
- {name: kafka-tls, mountPath: /etc/signalbox/kafka-tls, readOnly: true}
{{- end }}
{{- if .Values.kafka.sasl.mechanism }}
- {name: kafka-user, mountPath: /etc/signalbox/kafka-user, readOnly: true}
{{- end }}
{{- if and .Values.redis.existingSecret (not .Values.bundled.enabled) }}
- {name: redis, mountPath: /etc/signalbox/redis, readOnly: true}
{{- end }}
{{- if .Values.redis.tls.existingSecret }}
- {name: redis-tls, mountPath: /etc/signalbox/redis-tls, readOnly: true}
{{- end }}
{{- end }}
