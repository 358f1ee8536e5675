# shellcheck shell=bash
# Names, addresses, ports and test users of the lab; source it: `. test/lab/env.sh`.
# lab.ts repeats the ports and users for the test suites, and lab.test.ts holds the two together.
export SALLYPORT_LAB_DIR=${SALLYPORT_LAB_DIR:-/var/tmp/sallyport-lab}

export LAB_REALM=CORP.EXAMPLE
export LAB_DOMAIN=CORP
export LAB_DNS_DOMAIN=corp.example

export LAB_DC_IP=127.0.0.10
export LAB_PROXY_IP=127.0.0.11
export LAB_ORIGIN_IP=127.0.0.12
export LAB_APACHE_PROXY_IP=127.0.0.13
export LAB_DC_HOST=dc1.corp.example
export LAB_PROXY_HOST=proxy.corp.example
export LAB_PROXY_ALIAS=webproxy.corp.example # the domain knows no service by this name
export LAB_ORIGIN_HOST=origin.corp.example
export LAB_APACHE_PROXY_HOST=aproxy.corp.example

# Users of the domain CORP.
export LAB_ADMINISTRATOR_PASSWORD='Adm1n-Passw0rd'
export LAB_ALICE=alice
export LAB_ALICE_UPN=alice@corp.example
export LAB_ALICE_PASSWORD='Alice-Secret1'
export LAB_BOB=bob
export LAB_BOB_PASSWORD='B0b:pass%word@x'
export LAB_ZOE=zoë
export LAB_ZOE_PASSWORD='Pä55wörd-€ß'
export LAB_CAROL=carol # a disabled account
export LAB_CAROL_PASSWORD='Car0l-Secret'
export LAB_DAVE=dave # must change the password at the next logon
export LAB_DAVE_PASSWORD='Dave-Secret1'
export LAB_SERVICE=svc-http # owns the HTTP/... service names of proxies and origins
export LAB_SERVICE_PASSWORD='Svc-Http-Passw0rd!'

# The squids; each listens on 127.0.0.1 and on 127.0.0.11.
export LAB_PORT_ALL=3128
export LAB_PORT_NTLM=3129
export LAB_PORT_KERBEROS=3130
export LAB_PORT_BASIC=3131
export LAB_PORT_DIGEST=3132
export LAB_PORT_NEGOTIATE=3133
export LAB_PORT_OPEN=3134
export LAB_PORT_NTLM_BASIC=3135
export LAB_PORT_SPNEGO=3136
export LAB_PORT_NTLM_CLOSE=3137
export LAB_PORT_ROLLED=3138
export LAB_PORT_NTLM_FEW=3139
export LAB_PORT_TLS=3443
# The other proxies.
export LAB_PORT_CNTLM=3140
export LAB_PORT_APACHE=3150
# The origins.
export LAB_PORT_ORIGIN_HTTP=8080
export LAB_PORT_ORIGIN_HTTPS=8443
export LAB_PORT_ORIGIN_AUTH=8081
export LAB_PORT_ORIGIN_AUTH_TLS=8444
export LAB_PORT_ORIGIN_NTLM=8082

export LAB_CA=$SALLYPORT_LAB_DIR/pki/ca.crt
export LAB_SMB_CONF=$SALLYPORT_LAB_DIR/ad/etc/smb.conf
export LAB_HTTP_KEYTAB=$SALLYPORT_LAB_DIR/krb/http.keytab
export LAB_ROLLED_KEYTAB=$SALLYPORT_LAB_DIR/krb/rolled.keytab

# Kerberos of whoever sources this file: the lab's realm and alice's ticket.
export KRB5_CONFIG=$SALLYPORT_LAB_DIR/krb/krb5.conf
export KRB5CCNAME=FILE:$SALLYPORT_LAB_DIR/krb/cc_alice
