# shellcheck shell=bash
# krb5.conf of servers and clients. The KDC is named by address and nothing is looked up in the DNS,
# so /etc/resolv.conf stays untouched. With rdns=false the client asks for the name it was given:
# HTTP/127.0.0.1 exists, HTTP/127.0.0.11 does not.
up_kerberos() {
  cat >"$KRB5_CONFIG" <<CONF
[libdefaults]
  default_realm = $LAB_REALM
  dns_lookup_realm = false
  dns_lookup_kdc = false
  dns_canonicalize_hostname = false
  rdns = false
  forwardable = true
[realms]
  $LAB_REALM = {
    kdc = $LAB_DC_IP:88
    admin_server = $LAB_DC_IP
    kpasswd_server = $LAB_DC_IP:464
  }
[domain_realm]
  .$LAB_DNS_DOMAIN = $LAB_REALM
  $LAB_DNS_DOMAIN = $LAB_REALM
  localhost = $LAB_REALM
  127.0.0.1 = $LAB_REALM
CONF
}
