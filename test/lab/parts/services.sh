# shellcheck shell=bash
# The list of services: recorded process, address, port, what it offers.
lab_services() {
  cat <<TABLE
samba|$LAB_DC_IP|88|Kerberos KDC
samba|$LAB_DC_IP|389|LDAP, winbindd
squid-all|$LAB_PROXY_IP|$LAB_PORT_ALL|Negotiate (Kerberos, raw NTLMSSP), NTLM, Digest, Basic
squid-ntlm|$LAB_PROXY_IP|$LAB_PORT_NTLM|NTLM
squid-kerberos|$LAB_PROXY_IP|$LAB_PORT_KERBEROS|Negotiate: Kerberos
squid-basic|$LAB_PROXY_IP|$LAB_PORT_BASIC|Basic, UTF-8
squid-digest|$LAB_PROXY_IP|$LAB_PORT_DIGEST|Digest: MD5, qop=auth
squid-negotiate|$LAB_PROXY_IP|$LAB_PORT_NEGOTIATE|Negotiate: Kerberos, raw NTLMSSP
squid-open|$LAB_PROXY_IP|$LAB_PORT_OPEN|no authentication
squid-ntlm-basic|$LAB_PROXY_IP|$LAB_PORT_NTLM_BASIC|NTLM, Basic
squid-spnego|$LAB_PROXY_IP|$LAB_PORT_SPNEGO|Negotiate: Kerberos, SPNEGO{NTLM}, raw NTLMSSP
squid-ntlm-close|$LAB_PROXY_IP|$LAB_PORT_NTLM_CLOSE|NTLM, closes after the first 407
squid-rolled|$LAB_PROXY_IP|$LAB_PORT_ROLLED|Negotiate with a keytab that is too old, NTLM
squid-ntlm-few|$LAB_PROXY_IP|$LAB_PORT_NTLM_FEW|NTLM with three authenticators
squid-all|$LAB_PROXY_IP|$LAB_PORT_TLS|TLS to the proxy, schemes as $LAB_PORT_ALL
cntlm|127.0.0.1|$LAB_PORT_CNTLM|cntlm as alice in front of $LAB_PORT_NTLM
apache|$LAB_APACHE_PROXY_IP|$LAB_PORT_APACHE|apache as proxy: Negotiate, NTLM
apache|$LAB_ORIGIN_IP|$LAB_PORT_ORIGIN_HTTP|origin, http
apache|$LAB_ORIGIN_IP|$LAB_PORT_ORIGIN_HTTPS|origin, https
apache|$LAB_ORIGIN_IP|$LAB_PORT_ORIGIN_AUTH|origin with 401: /negotiate/ /ntlm/ /both/ /basic/ /digest/
apache|$LAB_ORIGIN_IP|$LAB_PORT_ORIGIN_AUTH_TLS|origin with 401, https, as $LAB_PORT_ORIGIN_AUTH
squid-accel|$LAB_ORIGIN_IP|$LAB_PORT_ORIGIN_NTLM|origin with 401: Negotiate, NTLM
TABLE
}
