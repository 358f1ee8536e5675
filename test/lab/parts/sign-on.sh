# shellcheck shell=bash
# The client side of single sign-on for root: alice's Kerberos ticket and, in winbindd, her cached
# NTLM credentials. winbindd keeps one entry a user name, owned by the uid that saved last (others
# get `PW`; root may use anybody's), and --ccache-save never checks the password.
up_sign_on() {
  # A ticket lives 10 hours: klist -s also fails when it has run out.
  klist -s 2>/dev/null || printf '%s\n' "$LAB_ALICE_PASSWORD" | kinit "$LAB_ALICE" >/dev/null
  wbinfo --ccache-save="$LAB_DOMAIN\\$LAB_ALICE%$LAB_ALICE_PASSWORD" >/dev/null
  # For gss-ntlmssp: NTLM_USER_FILE names this file.
  printf '%s:%s:%s\n' "$LAB_DOMAIN" "$LAB_ALICE" "$LAB_ALICE_PASSWORD" \
    >"$SALLYPORT_LAB_DIR/krb/ntlm_user_file"
  chmod 600 "$SALLYPORT_LAB_DIR/krb/ntlm_user_file"
}
