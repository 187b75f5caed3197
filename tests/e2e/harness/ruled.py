"""A gateway that lives by rules: rule files, several pools, reloads, and what was counted and logged of a rule."""

import signal

from .case import EndToEnd
from .postern import Gateway, configuration, table
from .scripted import Scripted


def rule(name, then, **keys):
    """One [[rule]]; `given` and `unless` are its conditions, strings or lists; `exempt` a list of tables."""
    given, unless, exempt = keys.pop("given", {}), keys.pop("unless", {}), keys.pop("exempt", [])
    text = table("[rule]", {"name": name, "then": then, **keys})
    for key, conditions in (("if", given), ("unless", unless)):
        if conditions:
            text += f"{key} = {{ " + ", ".join(f"{fact} = {literal(value)}" for fact, value in conditions.items()) + " }\n"
    for each in exempt:
        text += "[[rule.exempt]]\n" + "".join(f"{key} = {literal(value)}\n" for key, value in each.items())
    return text + "\n"


def literal(value):
    """Patterns are full of backslashes: TOML's literal strings, and dates as they are."""
    if isinstance(value, list):
        return "[" + ", ".join(literal(each) for each in value) + "]"
    text = str(value)
    is_date = len(text) == 10 and text[4] == "-" and text[7] == "-"
    return text if is_date else f"'{text}'"


class Ruled(EndToEnd):
    """`ruled(rules)` instead of `gateway()`."""

    def places(self, backends):
        if not backends:
            return [{"imap": self.dovecot.imap, "pop3": self.dovecot.pop3}]
        return [{"imap": each.address, "pop3": each.address} if isinstance(each, Scripted) else each
                for each in backends]

    def ruled(self, rules, *backends, pools=None, **changes):
        """`backends`: of the pool "legacy", Dovecot if there are none; `pools`: further ones, {name: [backend, ...]}."""
        file = self.folder() / "rules.toml"
        file.write_text(rules)
        text = configuration(self.places(backends), rules={"files": [file]}, **changes)
        for name, members in (pools or {}).items():
            text += "\n" + table("[pool]", {"name": name, "tls": "none"})
            for number, place in enumerate(self.places(members), 1):
                text += "\n" + table("[pool.backend]", {"name": f"{name}{number}", **place})
        gateway = Gateway(text)
        gateway.rules = file
        self._gateways.append(gateway)
        return gateway

    def reload(self, gateway, rules):
        gateway.rules.write_text(rules)
        before = len(gateway.events)
        gateway.process.send_signal(signal.SIGHUP)
        gateway.event("reloaded", after=before, cause="SIGHUP")

    def hits(self, gateway, name, **labels):
        return gateway.scrape().sum("postern_rule_hits_total", rule=name, **labels)

    def two(self, on_imap=None, on_pop3=None):
        """A scripted backend for each protocol, as one place: (place, IMAP's, POP3's)."""
        imap, pop3 = self.imap_backend(on_imap), self.pop3_backend(on_pop3)
        return {"imap": imap.address, "pop3": pop3.address}, imap, pop3

    # Logins that are tried: the answer's line, whatever it is.

    def try_imap(self, client, user, password="secret"):
        client.command(f'LOGIN "{user}" "{password}"', result=None)
        return client.tagged

    def try_pop3(self, client, user, password="secret"):
        client.command(f"USER {user}")
        client.send(f"PASS {password}\r\n")
        return client.line()
