# shellcheck shell=bash
# The lab's names: a hosts file for squid, and a marked block in /etc/hosts that down.sh removes.
# SALLYPORT_LAB_NO_HOSTS=1 leaves /etc/hosts alone (for a second copy in a network namespace).
readonly HOSTS_BEGIN='# BEGIN sallyport-lab'
readonly HOSTS_END='# END sallyport-lab'

up_hosts() {
  {
    echo '127.0.0.1 localhost'
    lab_hosts
  } >"$SALLYPORT_LAB_DIR/hosts"
  [ -z "${SALLYPORT_LAB_NO_HOSTS:-}" ] || return 0
  has_names && return 0
  down_hosts
  {
    echo "$HOSTS_BEGIN"
    lab_hosts
    echo "$HOSTS_END"
  } >>/etc/hosts
}

# Whether the block is there and is today's.
has_names() {
  diff -q <(lab_hosts) <(sed -n "/^$HOSTS_BEGIN/,/^$HOSTS_END/p" /etc/hosts | sed '1d;$d') >/dev/null
}

down_hosts() {
  local rest
  [ -z "${SALLYPORT_LAB_NO_HOSTS:-}" ] || return 0
  grep -q "^$HOSTS_BEGIN" /etc/hosts || return 0
  rest=$(sed "/^$HOSTS_BEGIN/,/^$HOSTS_END/d" /etc/hosts)
  printf '%s\n' "$rest" >/etc/hosts # in place: it may be a mount, where sed -i fails
}

lab_hosts() {
  cat <<HOSTS
$LAB_DC_IP $LAB_DC_HOST $LAB_DNS_DOMAIN
$LAB_PROXY_IP $LAB_PROXY_HOST proxy $LAB_PROXY_ALIAS
$LAB_ORIGIN_IP $LAB_ORIGIN_HOST
$LAB_APACHE_PROXY_IP $LAB_APACHE_PROXY_HOST
HOSTS
}
