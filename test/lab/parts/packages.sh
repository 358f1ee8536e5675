# shellcheck shell=bash
# Installs the Debian packages the lab needs and this machine lacks. No daemon of theirs is started.

# Three are only Recommends of samba. Without samba-ad-provision, provisioning ends with
# "AD_DS_Attributes__Windows_Server_2012_R2.ldf not found"; without samba-dsdb-modules with
# "Module [samba_secrets] not found"; samba-vfs-modules keeps the ACLs of sysvol.
readonly LAB_PACKAGES=(
  samba
  samba-ad-provision
  samba-dsdb-modules
  samba-vfs-modules
  winbind
  libnss-winbind
  krb5-user
  squid
  apache2-bin
  apache2-utils
  libapache2-mod-auth-gssapi
  gss-ntlmssp
  libgssapi3-heimdal
  cntlm
  curl
  openssl
  wine
  wine64
  libwinpr2-2
  libglib2.0-bin
  gsettings-desktop-schemas
  dbus
  gnome-keyring
  python3-pip
  python3-venv
  python3-requests
  python3-conda-package-streaming
  git
  wget
  iproute2
  zip
  unzip
  xz-utils
)
readonly POLICY_FILE=/usr/sbin/policy-rc.d

up_packages() {
  local package installed missing=()
  installed=$(installed_packages)
  for package in "${LAB_PACKAGES[@]}"; do
    grep -qx "$package" <<<"$installed" || missing+=("$package")
  done
  [ ${#missing[@]} -gt 0 ] || return 0
  say "installing ${missing[*]}"
  install_packages "${missing[@]}" >"$SALLYPORT_LAB_DIR/apt.log" 2>&1 || {
    tail -5 "$SALLYPORT_LAB_DIR/apt.log" >&2
    return 1
  }
}

installed_packages() {
  dpkg-query -W -f '${db:Status-Status} ${Package}\n' "${LAB_PACKAGES[@]}" 2>/dev/null |
    sed -n 's/^installed //p' || true # fails for a package dpkg never heard of
}

install_packages() (
  export DEBIAN_FRONTEND=noninteractive
  apt-get -o DPkg::Lock::Timeout=300 update || true # offline, the lists at hand may do
  forbid_daemon_starts
  apt-get -o DPkg::Lock::Timeout=300 install -y --no-install-recommends "$@"
)

# squid and cntlm would take port 3128, samba and winbind the lab's ports and /run/samba.
forbid_daemon_starts() {
  [ ! -e "$POLICY_FILE" ] || return 0
  trap 'rm -f "$POLICY_FILE"' EXIT
  printf '#!/bin/sh\nexit 101\n' >"$POLICY_FILE"
  chmod 755 "$POLICY_FILE"
}
