# shellcheck shell=bash
# Thirteen squids: twelve proxies, one for each mix of schemes (auth_param is global, not per port), and
# one origin with 401 in accelerator mode.
readonly SQUID=$SALLYPORT_LAB_DIR/squid
readonly SQUID_HELPERS=/usr/lib/squid
readonly SQUIDS=(
  all ntlm kerberos basic digest negotiate open ntlm-basic spnego ntlm-close rolled ntlm-few accel
)

up_squid() {
  local name started=()
  for name in "${SQUIDS[@]}"; do
    is_running "squid-$name" || started+=("$name")
  done
  [ ${#started[@]} -gt 0 ] || return 0
  chown proxy "$SQUID"
  write_password_files
  write_auth_blocks
  write_rules
  for name in "${started[@]}"; do
    write_squid_conf "$name"
    start_squid "$name"
  done
  for name in "${started[@]}"; do wait_for_port 127.0.0.1 "$(squid_port "$name")"; done
  say "squids answer: ${started[*]}"
}

squid_port() {
  case $1 in
    all) echo "$LAB_PORT_ALL" ;;
    ntlm) echo "$LAB_PORT_NTLM" ;;
    kerberos) echo "$LAB_PORT_KERBEROS" ;;
    basic) echo "$LAB_PORT_BASIC" ;;
    digest) echo "$LAB_PORT_DIGEST" ;;
    negotiate) echo "$LAB_PORT_NEGOTIATE" ;;
    open) echo "$LAB_PORT_OPEN" ;;
    ntlm-basic) echo "$LAB_PORT_NTLM_BASIC" ;;
    spnego) echo "$LAB_PORT_SPNEGO" ;;
    ntlm-close) echo "$LAB_PORT_NTLM_CLOSE" ;;
    rolled) echo "$LAB_PORT_ROLLED" ;;
    ntlm-few) echo "$LAB_PORT_NTLM_FEW" ;;
    accel) echo "$LAB_PORT_ORIGIN_NTLM" ;;
  esac
}

# The files of auth/ a squid offers, in this order.
squid_schemes() {
  case $1 in
    all) echo negotiate ntlm digest basic-ad ;;
    ntlm) echo ntlm ;;
    kerberos) echo kerberos ;;
    basic) echo basic-file ;;
    digest) echo digest ;;
    negotiate) echo negotiate ;;
    open) ;;
    ntlm-basic) echo ntlm basic-ad ;;
    spnego) echo spnego ;;
    ntlm-close) echo ntlm-close ;;
    rolled) echo rolled ntlm ;;
    ntlm-few) echo ntlm-few ;;
    accel) echo negotiate ntlm ;;
  esac
}

start_squid() {
  local name=$1 service
  rm -f "$SQUID/$name.pid"
  # -n must be alphanumeric and unique on the machine: shared memory is named after it.
  service=$(printf '%s' "$SALLYPORT_LAB_DIR$name" | tr -dc a-zA-Z0-9)
  start "squid-$name" "$SQUID/$name.out" \
    env "KRB5_CONFIG=$KRB5_CONFIG" squid -N -n "$service" -f "$SQUID/$name.conf"
}

write_squid_conf() {
  local name=$1 scheme rules='rules-authenticated'
  [ "$name" != open ] || rules='rules-open'
  {
    write_listeners "$name"
    for scheme in $(squid_schemes "$name"); do echo "include $SQUID/auth/$scheme.conf"; done
    cat <<CONF
include $SQUID/$rules.conf
pid_filename $SQUID/$name.pid
cache_log $SQUID/$name.cache.log
logformat lab $(log_fields "$name")
access_log stdio:$SQUID/$name.access.log lab
include $SQUID/common.conf
CONF
  } >"$SQUID/$name.conf"
}

# The log keeps the first 400 characters of the credentials a request carried, so that a test can
# tell the legs of a handshake apart (test users, loopback only). lab.ts reads it.
log_fields() {
  local header=Proxy-Authorization
  [ "$1" != accel ] || header=Authorization
  echo "%ts.%03tu conn=%>a:%>p user=%un status=%>Hs request=\"%rm %ru\" auth=\"%.400{$header}>h\""
}

write_listeners() {
  local name=$1 port tls
  port=$(squid_port "$name")
  if [ "$name" = accel ]; then
    # A host name of its own: two squids of one name in a chain answer 403 (forwarding loop).
    cat <<CONF
visible_hostname $LAB_ORIGIN_HOST
http_port 127.0.0.1:$port accel defaultsite=$LAB_ORIGIN_HOST:$port
http_port $LAB_ORIGIN_IP:$port accel defaultsite=$LAB_ORIGIN_HOST:$port
cache_peer $LAB_ORIGIN_IP parent $LAB_PORT_ORIGIN_HTTP 0 no-query no-digest originserver name=origin
never_direct allow all
CONF
    return
  fi
  cat <<CONF
visible_hostname $LAB_PROXY_HOST
http_port 127.0.0.1:$port
http_port $LAB_PROXY_IP:$port
CONF
  if [ "$name" = all ]; then
    tls="tls-cert=$SALLYPORT_LAB_DIR/pki/server.crt tls-key=$SALLYPORT_LAB_DIR/pki/server.key"
    echo "https_port 127.0.0.1:$LAB_PORT_TLS $tls"
    echo "https_port $LAB_PROXY_IP:$LAB_PORT_TLS $tls"
  fi
}

write_password_files() {
  htpasswd -cb "$SQUID/htpasswd" "$LAB_ALICE" "$LAB_ALICE_PASSWORD"
  htpasswd -b "$SQUID/htpasswd" "$LAB_BOB" "$LAB_BOB_PASSWORD"
  htpasswd -b "$SQUID/htpasswd" "$LAB_ZOE" "$LAB_ZOE_PASSWORD"
  {
    digest_line "$LAB_ALICE" "$LAB_ALICE_PASSWORD"
    digest_line "$LAB_BOB" "$LAB_BOB_PASSWORD"
    digest_line "$LAB_ZOE" "$LAB_ZOE_PASSWORD"
  } >"$SQUID/htdigest"
} 2>/dev/null

digest_line() {
  echo "$1:corp-proxy:$(printf '%s' "$1:corp-proxy:$2" | md5sum | cut -d' ' -f1)"
}

write_auth_blocks() {
  local ntlm_auth="/usr/bin/ntlm_auth --configfile=$LAB_SMB_CONF"
  local kerberos="$SQUID_HELPERS/negotiate_kerberos_auth"
  kerberos+=" -k $LAB_HTTP_KEYTAB -t none -s GSS_C_NO_NAME"
  local wrapper="$SQUID_HELPERS/negotiate_wrapper_auth"
  wrapper+=" --ntlm $ntlm_auth --helper-protocol=squid-2.5-ntlmssp"
  wrapper+=" --kerberos $kerberos"
  mkdir -p "$SQUID/auth"

  write_auth ntlm \
    "program $ntlm_auth --helper-protocol=squid-2.5-ntlmssp" \
    'children 20 startup=1 idle=1' \
    'keep_alive on'

  # Closes the connection after the first 407, the one to a request without a token.
  write_auth ntlm-close \
    "program $ntlm_auth --helper-protocol=squid-2.5-ntlmssp" \
    'children 20 startup=1 idle=1' \
    'keep_alive off'

  # The size a distribution's own squid.conf proposes: each unanswered challenge holds one of three.
  write_auth ntlm-few \
    "program $ntlm_auth --helper-protocol=squid-2.5-ntlmssp" \
    'children 3 startup=3 idle=1' \
    'keep_alive on'

  write_auth kerberos \
    "program $kerberos" \
    'children 20 startup=1 idle=1' \
    'keep_alive on'

  # Its keytab is older than the password of its account: every ticket is refused.
  write_rolled_keytab
  write_auth rolled \
    "program ${kerberos/$LAB_HTTP_KEYTAB/$LAB_ROLLED_KEYTAB}" \
    'children 20 startup=1 idle=1' \
    'keep_alive on'

  # Right for Kerberos and raw NTLMSSP only. NTLM wrapped in SPNEGO is answered by the Kerberos
  # helper (gss-ntlmssp is installed), and squid 5.7 then emits the broken header
  # "Proxy-Authenticate: Negotiate token=oYG...": use spnego for that.
  write_auth negotiate \
    "program $wrapper" \
    'children 20 startup=1 idle=1' \
    'keep_alive on'

  # Samba's own SPNEGO acceptor, the closest to Windows: Kerberos, SPNEGO{NTLM} and raw NTLMSSP.
  write_spnego_smb_conf
  write_auth spnego \
    "program /usr/bin/ntlm_auth --configfile=$SQUID/samba/smb.conf --helper-protocol=gss-spnego" \
    'children 20 startup=1 idle=1' \
    'keep_alive on'

  write_auth basic-ad \
    "program $ntlm_auth --helper-protocol=squid-2.5-basic" \
    'children 3 startup=1 idle=1' \
    'realm corp-proxy' \
    'utf8 on' \
    'credentialsttl 1 minute'

  write_auth basic-file \
    "program $SQUID_HELPERS/basic_ncsa_auth $SQUID/htpasswd" \
    'children 3 startup=1 idle=1' \
    'realm corp-proxy' \
    'utf8 on'

  write_auth digest \
    "program $SQUID_HELPERS/digest_file_auth -c $SQUID/htdigest" \
    'children 3 startup=1 idle=1' \
    'realm corp-proxy' \
    'nonce_garbage_interval 5 minutes' \
    'nonce_max_duration 30 minutes' \
    'nonce_max_count 50'
}

# write_auth BLOCK SETTING...: auth/BLOCK.conf, one auth_param line a setting.
write_auth() {
  local block=$1 scheme
  shift
  case $block in
    kerberos | rolled | negotiate | spnego) scheme=negotiate ;;
    *) scheme=${block%%-*} ;;
  esac
  printf "auth_param $scheme %s\n" "$@" >"$SQUID/auth/$block.conf"
}

# The right names with a key the domain has never heard of.
write_rolled_keytab() {
  rm -f "$LAB_ROLLED_KEYTAB"
  ktutil >/dev/null <<KTUTIL
addent -password -p HTTP/$LAB_PROXY_HOST@$LAB_REALM -k 1 -e aes256-cts-hmac-sha1-96
an older password
wkt $LAB_ROLLED_KEYTAB
KTUTIL
  chown proxy "$LAB_ROLLED_KEYTAB"
}

# gss-spnego wants a dedicated keytab and folders the user proxy may write.
write_spnego_smb_conf() {
  mkdir -p "$SQUID/samba"
  chown proxy "$SQUID/samba"
  cat >"$SQUID/samba/smb.conf" <<CONF
[global]
  workgroup = $LAB_DOMAIN
  realm = $LAB_REALM
  netbios name = PROXY
  server role = member server
  security = ads
  kerberos method = dedicated keytab
  dedicated keytab file = FILE:$LAB_HTTP_KEYTAB
  private dir = $SQUID/samba
  lock directory = $SQUID/samba
  state directory = $SQUID/samba
  cache directory = $SQUID/samba
  pid directory = $SQUID/samba
  log file = $SQUID/samba/log
  interfaces = $LAB_PROXY_IP/8
  disable netbios = yes
CONF
}

write_rules() {
  cat >"$SQUID/rules-open.conf" <<CONF
http_access allow all
CONF
  # /blocked: 403 for all. /bob-only: 407 again for anybody but bob. Both plain http only.
  cat >"$SQUID/rules-authenticated.conf" <<CONF
acl signed_on proxy_auth REQUIRED
acl bob proxy_auth_regex -i (^|[\\\\])bob(@|\$)
acl blocked urlpath_regex ^/blocked
acl bob_only urlpath_regex ^/bob-only
http_access deny !signed_on
http_access deny blocked
http_access deny bob_only !bob
http_access allow signed_on
http_access deny all
CONF
  # The group winbindd_priv is all ntlm_auth needs for winbindd's privileged pipe.
  cat >"$SQUID/common.conf" <<CONF
hosts_file $SALLYPORT_LAB_DIR/hosts
dns_nameservers $LAB_DC_IP
cache_effective_user proxy
cache_effective_group winbindd_priv
coredump_dir $SQUID
cache deny all
cache_mem 8 MB
memory_cache_shared off
pinger_enable off
shutdown_lifetime 1 seconds
client_persistent_connections on
server_persistent_connections on
forwarded_for on
CONF
}
