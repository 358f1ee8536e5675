# shellcheck shell=bash
# Samba as Active Directory domain controller: KDC, LDAP, DNS and winbindd, on a 127.0.0.x address.
readonly AD=$SALLYPORT_LAB_DIR/ad

up_ad() {
  if [ ! -e "$AD/.provisioned" ]; then
    provision_domain
    say 'AD provisioned'
    # Offline, before the daemon starts: one process and one second instead of a dozen.
    KRB5_CONFIG=$KRB5_CONFIG /usr/bin/python3 parts/ad-objects.py # pyenv's python lacks samba
    export_keytab
    touch "$AD/.provisioned"
    say 'users, service names and keytab made'
  fi
  open_privileged_pipe
  is_running samba && return 0
  mkdir -p /run/samba # gone after a reset; the path of winbindd's socket is compiled in
  start samba "$AD/log/samba.out" \
    env "KRB5_CONFIG=$KRB5_CONFIG" \
    samba -F --no-process-group "--configfile=$LAB_SMB_CONF" --debuglevel=1
  wait_for_port "$LAB_DC_IP" 88
  wait_for_port "$LAB_DC_IP" 389
  wait_until 200 wbinfo -a "$LAB_DOMAIN\\$LAB_ALICE%$LAB_ALICE_PASSWORD"
  add_dns_records
  say 'samba AD DC and winbindd answer'
}

provision_domain() {
  local acl_options=()
  rm -rf "$AD"
  mkdir -p "$AD/etc" "$AD/log" "$AD/run"
  # --configfile must name an existing file (empty is fine); without the option
  # /etc/samba/smb.conf is taken as the template: printers, homes, /var/log.
  : >"$LAB_SMB_CONF"
  mapfile -t acl_options < <(sysvol_acl_options)
  samba-tool domain provision \
    --configfile="$LAB_SMB_CONF" \
    --targetdir="$AD" \
    --realm="$LAB_REALM" \
    --domain="$LAB_DOMAIN" \
    --adminpass="$LAB_ADMINISTRATOR_PASSWORD" \
    --server-role=dc \
    --dns-backend=SAMBA_INTERNAL \
    --host-name="${LAB_DC_HOST%%.*}" \
    --host-ip="$LAB_DC_IP" \
    --option="interfaces=$LAB_DC_IP/8" \
    --option='bind interfaces only=yes' \
    --option="pid directory=$AD/run" \
    --option="ncalrpc dir=$AD/run/ncalrpc" \
    --option="log file=$AD/log/log.samba" \
    "${acl_options[@]}" >"$AD/log/provision.log" 2>&1 || {
    tail -5 "$AD/log/provision.log" >&2
    return 1
  }
  trim_smb_conf
}

# Where the NT ACLs of sysvol are kept. security.NTACL needs CAP_SYS_ADMIN, which a plain Docker
# container lacks: provisioning then dies with NT_STATUS_ACCESS_DENIED in setsysvolacl. A user.*
# attribute does on ext4; a tdb file instead of attributes does everywhere (tmpfs).
sysvol_acl_options() {
  if can_set_attribute security.NTACL; then
    return # samba's default; spelled out, provisioning refuses it
  elif can_set_attribute user.NTACL; then
    echo '--option=acl_xattr:security_acl_name=user.NTACL'
  else
    echo "--option=posix:eadb=$AD/eadb.tdb"
  fi
}

can_set_attribute() {
  /usr/bin/python3 -c 'import os, sys; os.setxattr(sys.argv[1], sys.argv[2], b"x")' \
    "$AD/run" "$1" 2>/dev/null
}

# No forwarder (there is no internet), no NetBIOS, no printers, only the services used.
trim_smb_conf() {
  sed -i '/dns forwarder/d' "$LAB_SMB_CONF"
  sed -i "/^\tworkgroup = $LAB_DOMAIN/r /dev/stdin" "$LAB_SMB_CONF" <<'CONF'
	server services = s3fs, rpc, ldap, cldap, kdc, winbindd, dns
	dns forwarder =
	disable netbios = yes
	load printers = no
	ldap server require strong auth = no
CONF
}

export_keytab() {
  local host hosts=("$LAB_PROXY_HOST" "$LAB_APACHE_PROXY_HOST" "$LAB_ORIGIN_HOST")
  rm -f "$LAB_HTTP_KEYTAB"
  for host in "${hosts[@]}" proxy localhost 127.0.0.1; do
    samba-tool domain exportkeytab "$LAB_HTTP_KEYTAB" -s "$LAB_SMB_CONF" --principal="HTTP/$host" \
      >>"$AD/log/keytab.log" 2>&1
  done
  chmod 644 "$LAB_HTTP_KEYTAB" # squid (proxy) and apache (www-data) both read it
}

# winbindd wants this folder owned by root with mode 0750. Its group is the one squid and apache run
# with; an ntlm_auth without it answers "BH NT_STATUS_UNSUCCESSFUL" after a correct type 3.
open_privileged_pipe() {
  mkdir -p "$AD/state/winbindd_privileged"
  chgrp winbindd_priv "$AD/state/winbindd_privileged"
  chmod 750 "$AD/state/winbindd_privileged"
}

add_dns_records() {
  local record
  [ ! -e "$AD/.dns-records" ] || return 0
  for record in "proxy $LAB_PROXY_IP" "origin $LAB_ORIGIN_IP" "aproxy $LAB_APACHE_PROXY_IP"; do
    samba-tool dns add "$LAB_DC_IP" "$LAB_DNS_DOMAIN" "${record% *}" A "${record#* }" \
      -s "$LAB_SMB_CONF" -U "Administrator%$LAB_ADMINISTRATOR_PASSWORD" >>"$AD/log/dns.log" 2>&1
  done
  touch "$AD/.dns-records"
}
