#!/usr/bin/python3
"""Makes the lab's users, the service account and its SPNs in the SamDB; the daemon is not running."""
import os

import ldb
from samba.auth import system_session
from samba.param import LoadParm
from samba.samdb import SamDB

ENV = os.environ
SPN_HOSTS = [
    ENV["LAB_PROXY_HOST"],
    ENV["LAB_APACHE_PROXY_HOST"],
    ENV["LAB_ORIGIN_HOST"],
    "proxy",
    "localhost",
    "127.0.0.1",
]
# Simple passwords, no expiry, and no lockout: tests send wrong passwords all day.
DOMAIN_POLICY = {
    "pwdProperties": "0",
    "minPwdLength": "1",
    "minPwdAge": "0",
    "maxPwdAge": "-9223372036854775808",
    "pwdHistoryLength": "0",
    "lockoutThreshold": "0",
}


def open_directory():
    parameters = LoadParm()
    parameters.load(ENV["LAB_SMB_CONF"])
    return SamDB(
        url=os.path.join(ENV["SALLYPORT_LAB_DIR"], "ad/private/sam.ldb"),
        session_info=system_session(),
        lp=parameters,
    )


def by_name(name):
    return "(sAMAccountName=%s)" % ldb.binary_encode(name)


def replace(directory, dn, attributes):
    message = ldb.Message()
    message.dn = ldb.Dn(directory, str(dn))
    for name, value in attributes.items():
        message[name] = ldb.MessageElement(value, ldb.FLAG_MOD_REPLACE, name)
    directory.modify(message)


def make_users(directory):
    for who in ("ALICE", "BOB", "ZOE", "CAROL", "DAVE"):
        directory.newuser(
            ENV["LAB_" + who],
            ENV["LAB_" + who + "_PASSWORD"],
            force_password_change_at_next_login_req=(who == "DAVE"),
        )
    directory.disable_account(by_name(ENV["LAB_CAROL"]))


def make_service_account(directory):
    name, password = ENV["LAB_SERVICE"], ENV["LAB_SERVICE_PASSWORD"]
    directory.newuser(name, password)
    found = directory.search(directory.domain_dn(), ldb.SCOPE_SUBTREE, by_name(name), ["dn"])
    replace(
        directory,
        found[0].dn,
        {
            "servicePrincipalName": ["HTTP/" + host for host in SPN_HOSTS],
            # AES only; without it Samba 4.17 issues service tickets with RC4.
            "msDS-SupportedEncryptionTypes": "24",
        },
    )
    directory.setpassword(by_name(name), password)  # once more, so that AES keys exist


def main():
    directory = open_directory()
    replace(directory, directory.domain_dn(), DOMAIN_POLICY)
    make_users(directory)
    make_service_account(directory)


main()
