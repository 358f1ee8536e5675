# shellcheck shell=bash
# A certificate authority and one server certificate for all TLS ports (proxies and origins).
up_pki() {
  [ ! -e "$SALLYPORT_LAB_DIR/pki/server.crt" ] || return 0
  (
    cd "$SALLYPORT_LAB_DIR/pki" || exit 1
    cat >server.ext <<EXT
subjectAltName=@names
extendedKeyUsage=serverAuth
[names]
DNS.1=$LAB_ORIGIN_HOST
DNS.2=$LAB_PROXY_HOST
DNS.3=$LAB_APACHE_PROXY_HOST
DNS.4=localhost
IP.1=127.0.0.1
IP.2=$LAB_PROXY_IP
IP.3=$LAB_ORIGIN_IP
IP.4=$LAB_APACHE_PROXY_IP
EXT
    openssl req -x509 -newkey rsa:2048 -nodes -days 3650 -subj '/CN=Sallyport lab CA' \
      -keyout ca.key -out ca.crt
    openssl req -newkey rsa:2048 -nodes -subj "/CN=$LAB_ORIGIN_HOST" \
      -keyout server.key -out server.csr
    openssl x509 -req -in server.csr -CA ca.crt -CAkey ca.key -CAcreateserial -days 3650 \
      -extfile server.ext -out server.crt
    chmod 644 server.key # squid and apache read it under other users
  ) 2>"$SALLYPORT_LAB_DIR/pki/openssl.log"
}
