# shellcheck shell=bash
# The origin's files. large.bin is deterministic (AES-CTR of zeros), so its sum never changes.
readonly WWW=$SALLYPORT_LAB_DIR/origin/www

up_origin() {
  local zeros=00000000000000000000000000000000 folder
  [ ! -e "$WWW/SHA256SUMS" ] || return 0
  mkdir -p "$WWW"
  chmod 755 "$SALLYPORT_LAB_DIR/origin" "$WWW"
  echo 'hello from origin' >"$WWW/small.txt"
  head -c 104857600 /dev/zero |
    openssl enc -aes-128-ctr -K "$zeros" -iv "$zeros" -out "$WWW/large.bin"
  head -c 1048576 "$WWW/large.bin" >"$WWW/medium.bin"
  for folder in . negotiate ntlm both basic digest; do
    mkdir -p "$WWW/$folder"
    cp "$WWW/small.txt" "$WWW/$folder/index.html"
  done
  # Written last and moved into place: it marks the set as complete.
  (cd "$WWW" && sha256sum large.bin medium.bin small.txt >sums.new && mv sums.new SHA256SUMS)
}
