//! What `--help` says below the options.

pub(super) const AFTER_HELP: &str = "\
Tables:
  FROM redivis.'owner.dataset.table'      a Redivis table (also in `backticks`)
  FROM redivis.'owner.dataset:v1_0.table' one version of it (:current, :next, :sample)
  FROM 'file.parquet'                     a local Parquet, CSV, TSV, JSON or Arrow file
  FROM '/dev/stdin'                       what is piped in, with -c or -f

Variables:
  -v name=value, or \\set name value, and then :name as SQL, :'name' as a text, :\"name\" as a name

In csv and tsv, null is an empty field and an empty string is \"\"; in a file of one column, both are \"\".

Environment:
  REDIVIS_API_TOKEN         your token; without it the one of redivis-sql login is used, and
                            without that only public data can be read
  REDIVIS_API_ENDPOINT      another endpoint than https://redivis.com/api/v1
  REDIVIS_DEFAULT_DATASET   where plain table names are looked up (owner.dataset)
  REDIVIS_DEFAULT_WORKFLOW  the same for a workflow; wins over the dataset
  REDIVIS_SQL_CACHE         on, or the folder of --cache
  REDIVIS_SQL_CONFIG        the folder of config.toml and init.sql, instead of
                            ~/.config/redivis-sql
  REDIVIS_SQL_PAGER         the pager of the prompt, before PAGER and less; empty for none
  REDIVIS_OAUTH_CLIENT_ID   under which redivis-sql login is registered with Redivis
  HTTPS_PROXY, NO_PROXY     a proxy, and the hosts that are reached without it
  SSL_CERT_FILE             certificates to trust, instead of the system's
  NO_COLOR, CLICOLOR_FORCE  no colours; colours even where no terminal is
  RUST_LOG                  what to log to stderr (default: warn)

Exit status:
  0 done, 1 SQL or data error, 2 usage or configuration, 3 authorization or network, 4 timeout,
  130 interrupted, 143 and 129 ended by SIGTERM and SIGHUP, 141 the reader of the output went away

Standard output carries data only; everything else goes to standard error. Without -c and -f,
statements are read from standard input, or from a prompt when that is a terminal.";
