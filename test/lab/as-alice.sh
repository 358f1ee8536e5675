#!/bin/bash
# Runs a command as the real domain user CORP\alice: her uid (nss winbind), her own Kerberos ticket
# and her own NTLM credentials in winbindd's cache. `as-alice.sh node app.js`
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$here/env.sh"

sid=$(wbinfo -n "$LAB_DOMAIN\\$LAB_ALICE" | cut -d' ' -f1)
uid=$(wbinfo -S "$sid")
home=$SALLYPORT_LAB_DIR/home-alice
mkdir -p "$home"
chown "$uid:100" "$home"

# NTLMUSER would point gss-ntlmssp at another cache entry.
as_alice=(
  setpriv --reuid "$uid" --regid 100 --clear-groups
  env -u NTLMUSER "HOME=$home" USER=alice LOGNAME=alice "KRB5CCNAME=FILE:$home/krb5cc"
)
"${as_alice[@]}" klist -s 2>/dev/null ||
  printf '%s\n' "$LAB_ALICE_PASSWORD" | "${as_alice[@]}" kinit "$LAB_ALICE" >/dev/null
"${as_alice[@]}" wbinfo --ccache-save="$LAB_DOMAIN\\$LAB_ALICE%$LAB_ALICE_PASSWORD" >/dev/null
exec "${as_alice[@]}" "$@"
