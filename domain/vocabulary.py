"""The words by which names are told from other capitalised words; small letters throughout."""

# ruff: noqa: SIM905  # long lists of words read better as one text

STARTERS = frozenset(
    "ask see tell call contact thank thanks hi hello dear hey the a an our my your his her their its this that these"
    " those if when while after before since until because although though and but or so for from in on at by to of as"
    " with without about into over under then than both either neither also only just not no yes please note let mail"
    " email ping inform give send check read write use open close start stop add remove run try make take look wait"
    " today tomorrow yesterday meanwhile however therefore instead maybe perhaps once first second third last next new"
    " old each every all some any many most more less few who what where which why how is are was were be been has have"
    " had do does did can could will would shall should may might must i we you he she it they there here per via re"
    " owner author reviewer approver decider decision reason status date context action actions item topic present"
    " absent attendees agenda minutes summary regards best kind cheers chapter section figure table page version step"
    " talk speak reach notify escalate assign copy cc meet follow keep put get go".split()
)
NOT_PEOPLE = frozenset(
    "office offices street road avenue square city town river lake north south east west new york london paris berlin"
    " frankfurt amsterdam europe america asia africa team teams group department division board council committee"
    " management company limited ltd inc gmbh ag bv llc plc corporation corp university college school institute"
    " hospital bank airport station centre center hotel hall house park bridge island bay project service services"
    " system systems server database cluster queue gateway platform api app product release version policy process"
    " procedure runbook handbook guide manual report review plan agreement act law contract data security quality"
    " customer success sales marketing finance legal engineering operations support research development monday"
    " tuesday wednesday thursday friday saturday sunday january february march april may june july august september"
    " october november december christmas easter day week month year quarter valley hills beach county state states"
    " republic kingdom union nations association foundation museum theatre court church union market store shop"
    " windows linux google microsoft amazon apple oracle cloud web mail code test case issue ticket request people ops"
    " operators helpdesk hr".split()
)
ORGANISATION_ENDS = frozenset(
    "gmbh ag bv b.v. ltd ltd. limited inc inc. llc plc corp corp. corporation oy ab as a/s sas sarl srl s.a. kg se"
    " university institute foundation association logistics bank group partners holdings ministry agency".split()
)
SYSTEM_HEADS = (
    "service|database|cluster|queue|gateway|pipeline|api|system|server|broker|repository|repo|daemon|dashboard"
)
SYSTEMS = frozenset(
    "postgres postgresql mysql mariadb sqlite oracle redis memcached kafka rabbitmq nats kubernetes docker terraform"
    " ansible jenkins grafana prometheus elasticsearch opensearch kibana logstash splunk datadog sentry pagerduty"
    " opsgenie github gitlab bitbucket jira confluence slack notion salesforce hubspot zendesk stripe snowflake"
    " bigquery redshift airflow spark hadoop cassandra mongodb dynamodb clickhouse timescaledb nginx haproxy envoy"
    " istio vault consul etcd zookeeper patroni pgbouncer pgbackrest minio ceph keycloak okta auth0 vercel heroku"
    " cloudflare aws azure gcp openshift argocd helm graphql grpc django flask fastapi rails"
    " spring react angular vue svelte".split()
)
TITLE_ROLES = (
    "lead|manager|director|engineer|developer|architect|analyst|designer|owner|chair|secretary|president|officer|ceo"
    "|cto|cfo|coo|head|founder|administrator|scientist|consultant|coordinator"
)
