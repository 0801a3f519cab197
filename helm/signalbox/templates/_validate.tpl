{{/* What no schema can say: values that do not go together. Every problem is told at once, with what to write instead. */}}

{{- define "signalbox.validate" -}}
{{- $found := list -}}
{{- range list "backing" "files" "tls" "scaling" "links" -}}
{{- $found = concat $found (include (printf "signalbox.validate.%s" .) $ | trim | splitList "\n") -}}
{{- end -}}
{{- with without $found "" }}{{ fail (printf "\n\n%s\n" (join "\n" .)) }}{{ end -}}
{{- end }}

{{- define "signalbox.validate.backing" -}}
{{- $values := .Values -}}
{{- if $values.bundled.enabled }}
{{- if $values.kafka.brokers }}
kafka.brokers and bundled.enabled are both given: keep kafka.brokers for brokers of your own, or set bundled.enabled to true for one beside the roles.
{{- end }}
{{- if or $values.redis.url $values.redis.existingSecret }}
redis.url or redis.existingSecret and bundled.enabled are both given: keep the former for a Redis of your own, or set bundled.enabled to true for one beside the roles.
{{- end }}
{{- if or $values.kafka.tls.enabled $values.kafka.sasl.mechanism $values.redis.tls.existingSecret }}
kafka.tls, kafka.sasl and redis.tls are for servers of your own: remove them, or set bundled.enabled to false and name those servers.
{{- end }}
{{- else }}
{{- if not $values.kafka.brokers }}
kafka.brokers is missing: name your brokers, such as kafka-0.kafka:9092,kafka-1.kafka:9092, or set bundled.enabled to true for trying things out.
{{- end }}
{{- if not (or $values.redis.url $values.redis.existingSecret) }}
redis.url is missing: write redis://host:6379, name a Secret with the URL as redis.existingSecret, or set bundled.enabled to true for trying things out.
{{- end }}
{{- if and $values.redis.url $values.redis.existingSecret }}
redis.url and redis.existingSecret are both given: keep one of the two.
{{- end }}
{{- end }}
{{- if contains "@" $values.redis.url }}
redis.url has a password: put the whole URL into a Secret and name it as redis.existingSecret.
{{- end }}
{{- with $values.kafka.sasl }}
{{- if and .mechanism (not (and .user .existingSecret)) }}
kafka.sasl.user or kafka.sasl.existingSecret is missing: {{ .mechanism }} takes a user, and a Secret that has the password as {{ .passwordKey }}.
{{- end }}
{{- if and .user (not .mechanism) }}
kafka.sasl.mechanism is missing: write PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512, or remove kafka.sasl.user.
{{- end }}
{{- end }}
{{- end }}

{{- define "signalbox.validate.files" -}}
{{- $values := .Values -}}
{{- $tables := 0 }}
{{- range list $values.table.source $values.table.files $values.table.existingConfigMap $values.table.volume }}{{ if . }}{{ $tables = add1 $tables }}{{ end }}{{ end }}
{{- if ne (int $tables) 1 }}
table has {{ $tables }} sources and needs one: give table.files, table.existingConfigMap, table.volume or table.source, and leave the others empty.
{{- end }}
{{- if and $values.table.source (not $values.router.grpc.enabled) }}
table.source is bus and router.grpc is not enabled: routers take tables there, set router.grpc.enabled to true.
{{- end }}
{{- if and $values.table.path (not $values.table.volume) }}
table.path goes with table.volume: a ConfigMap has no folders, so that rates/atlas.csv is its key rates.atlas.csv.
{{- end }}
{{- range $name, $text := $values.table.files }}
{{- if not (regexMatch "^((table|carriers|policies|cases)\\.toml|(numbering|ported|senders|quality)\\.csv|(rates|sell)\\.[-._a-zA-Z0-9]+\\.csv|sets\\.[-._a-zA-Z0-9]+\\.txt)$" $name) }}
table.files has "{{ $name }}", which is no file of a table: write rates.atlas.csv for rates/atlas.csv, and so for sell and sets.
{{- end }}
{{- end }}
{{- with $values.ingest }}
{{- if and .accounts.text .accounts.existingSecret }}
ingest.accounts.text and ingest.accounts.existingSecret are both given: keep one of the two.
{{- else if not (or .accounts.text .accounts.existingSecret) }}
ingest.accounts.existingSecret is missing: name a Secret with the accounts file as {{ .accounts.key }}, or write the file as ingest.accounts.text for trying things out.
{{- end }}
{{- if and .recordKey.value .recordKey.existingSecret }}
ingest.recordKey.value and ingest.recordKey.existingSecret are both given: keep one of the two.
{{- else if not (or .recordKey.value .recordKey.existingSecret) }}
ingest.recordKey.existingSecret is missing: kubectl create secret generic signalbox-record-key --from-literal={{ .recordKey.key }}=$(openssl rand -hex 16), and name it.
{{- end }}
{{- end }}
{{- with $values.router.lookup }}
{{- if and .enabled (not .providers) }}
router.lookup.providers is missing: write the text of providers.toml, or set router.lookup.enabled to false.
{{- end }}
{{- end }}
{{- end }}

{{- define "signalbox.validate.tls" -}}
{{- $servers := dict "ingest.tls" .Values.ingest.tls "router.grpc.tls" .Values.router.grpc.tls "connector.grpc.tls" .Values.connector.grpc.tls }}
{{- range $name, $tls := $servers }}
{{- if and $tls.enabled (not $tls.existingSecret) }}
{{ $name }}.existingSecret is missing: name a Secret with tls.crt and tls.key, or set {{ $name }}.enabled to false.
{{- end }}
{{- if and $tls.existingSecret (not $tls.enabled) }}
{{ $name }}.existingSecret is given and {{ $name }}.enabled is false: set it to true, or remove the name.
{{- end }}
{{- end }}
{{- range $name, $tls := dict "kafka.tls" .Values.kafka.tls "redis.tls" .Values.redis.tls }}
{{- if and $tls.clientCertificate (not $tls.existingSecret) }}
{{ $name }}.existingSecret is missing: a certificate of our own stands in a Secret with ca.crt, tls.crt and tls.key.
{{- end }}
{{- end }}
{{- if and .Values.redis.tls.existingSecret (hasPrefix "redis://" .Values.redis.url) }}
redis.tls is given and redis.url is plain text: write rediss:// instead of redis://, or remove redis.tls.existingSecret.
{{- end }}
{{- end }}

{{- define "signalbox.validate.scaling" -}}
{{- $values := .Values -}}
{{- range $role, $scaling := dict "ingest" $values.ingest.autoscaling "router" $values.router.autoscaling }}
{{- if and $scaling.hpa.enabled $scaling.keda.enabled }}
{{ $role }}.autoscaling has two scalers, which would work against each other: set hpa.enabled or keda.enabled to false.
{{- end }}
{{- if gt (int $scaling.minReplicas) (int $scaling.maxReplicas) }}
{{ $role }}.autoscaling.minReplicas is {{ int $scaling.minReplicas }} and maxReplicas {{ int $scaling.maxReplicas }}: write a maxReplicas of {{ int $scaling.minReplicas }} or more.
{{- end }}
{{- end }}
{{- $routers := ternary $values.router.autoscaling.maxReplicas $values.router.replicas (or $values.router.autoscaling.hpa.enabled $values.router.autoscaling.keda.enabled) | int }}
{{- if gt $routers (int $values.kafka.partitions) }}
{{ $routers }} routers share {{ int $values.kafka.partitions }} partitions, so that some would get none: write at most {{ int $values.kafka.partitions }}, or install with more kafka.partitions.
{{- end }}
{{- if and $values.router.autoscaling.keda.enabled $values.kafka.sasl.mechanism (not $values.kafka.sasl.userKey) }}
kafka.sasl.userKey is missing: KEDA reads the name of the user from the Secret {{ $values.kafka.sasl.existingSecret }}.
{{- end }}
{{- end }}

{{- define "signalbox.validate.links" -}}
{{- $names := dict }}{{- $carriers := dict }}
{{- if not .Values.links }}
links is empty: name at least one link, such as {name: try, kind: simulator, carriers: [atlas]}.
{{- end }}
{{- range $link := .Values.links }}
{{- if hasKey $names .name }}
links has "{{ .name }}" twice: give each link a name of its own, and raise replicas or settings.binds for more connections.
{{- end }}
{{- $_ := set $names .name true }}
{{- range .carriers }}
{{- if hasKey $carriers . }}
links: carrier "{{ . }}" is served by {{ get $carriers . }} and {{ $link.name }}: leave it to one of them, as a carrier has one link.
{{- end }}
{{- $_ := set $carriers . $link.name }}
{{- end }}
{{- $settings := default dict .settings }}
{{- range $key, $value := dict "password" .passwordSecret "key" .keySecret }}
{{- if and (hasKey $settings $key) (kindIs "string" (get $settings $key)) }}
links: {{ $link.name }} has its {{ $key }} in settings, where everybody reads it: put it into a Secret and name that as {{ $key }}Secret: {name: …, key: …}.
{{- end }}
{{- if and (hasKey $settings $key) $value }}
links: {{ $link.name }} has settings.{{ $key }} and {{ $key }}Secret: keep one of the two.
{{- end }}
{{- end }}
{{- range list "name" "kind" "carriers" }}
{{- if hasKey $settings . }}
links: {{ $link.name }} has settings.{{ . }}: write it beside settings, not in it.
{{- end }}
{{- end }}
{{- if and .webhook (ne .kind "http") }}
links: {{ .name }} is a link over {{ .kind }} and has a webhook: only links of kind http are called back.
{{- end }}
{{- with $settings.map }}
{{- if not (hasKey $.Values.linkMaps .) }}
links: {{ $link.name }} names the map "{{ . }}", which is not there: add it to linkMaps, or remove settings.map.
{{- end }}
{{- end }}
{{- end }}
{{- end }}
