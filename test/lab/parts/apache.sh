# shellcheck shell=bash
# apache: the origins and the second proxy. Its configuration is apache.conf, which reads the
# addresses and ports of env.sh from the environment.
readonly APACHE=$SALLYPORT_LAB_DIR/apache

up_apache() {
  local port
  is_running apache && return 0
  mkdir -p "$APACHE/log" "$APACHE/run"
  rm -f "$APACHE/run/apache.pid"
  # The keytab comes through KRB5_KTNAME: `GssapiCredStore keytab:` breaks gss-ntlmssp
  # ("Not a server credential type").
  start apache "$APACHE/log/apache.out" \
    env "LAB_PARTS=$PWD/parts" "KRB5_KTNAME=FILE:$LAB_HTTP_KEYTAB" KRB5RCACHENAME=none: \
    apache2 -D FOREGROUND -f "$PWD/parts/apache.conf"
  for port in "$LAB_PORT_ORIGIN_HTTP" "$LAB_PORT_ORIGIN_HTTPS" "$LAB_PORT_ORIGIN_AUTH" \
    "$LAB_PORT_ORIGIN_AUTH_TLS" "$LAB_PORT_APACHE"; do
    wait_for_port 127.0.0.1 "$port" || {
      tail -5 "$APACHE/log/apache.out" "$APACHE/log/error.log" >&2
      return 1
    }
  done
  say 'apache answers'
}
