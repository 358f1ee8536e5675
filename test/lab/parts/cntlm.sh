# shellcheck shell=bash
# cntlm, a peer of ours: signs on as alice (NTLMv2) at the NTLM squid, asks its clients for nothing.
readonly CNTLM=$SALLYPORT_LAB_DIR/cntlm

up_cntlm() {
  is_running cntlm && return 0
  cat >"$CNTLM/cntlm.conf" <<CONF
Username $LAB_ALICE
Domain $LAB_DOMAIN
Password $LAB_ALICE_PASSWORD
Auth NTLMv2
Workstation LABWS
Proxy $LAB_PROXY_IP:$LAB_PORT_NTLM
Listen 127.0.0.1:$LAB_PORT_CNTLM
NoProxy none.invalid
CONF
  chmod 600 "$CNTLM/cntlm.conf"
  start cntlm "$CNTLM/cntlm.out" cntlm -f -c "$CNTLM/cntlm.conf"
  wait_for_port 127.0.0.1 "$LAB_PORT_CNTLM"
  say 'cntlm answers'
}
