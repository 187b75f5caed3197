"""A thousand rules of mixed kinds, as a provider with many customers may have them: most are about some user or domain, some
about nobody in particular; FETCH, APPEND and SELECT are named by rules that may concern everybody, NOOP is named by none."""


def rule(name, conditions, then, more=""):
    return '[[rule]]\nname = "%s"\nif = { %s }\nthen = "%s"\n%s\n' % (name, conditions, then, more)


def of_kind(kind, number):
    user = "user = '.*\\.x%d@customer%d\\.example'" % (number, number % 97)
    domain = "domain = 'customer%d\\.example'" % number
    argument = "argument = '.*HEADER\\.FIELDS.*X-SECRET-%d.*'" % number
    size = 'size = ">%dMiB"' % (100 + number)
    mailbox = "mailbox = '(Archive|Old)/%d(/.*)?'" % number
    client = 'client = "10.%d.%d.0/24"' % (number % 200, number % 250)
    kinds = (
        (domain, "route", 'pool = "stub"'),
        (user, "deny", ""),
        (domain, "limit", 'sessions = 20\nper = "user"'),
        (client, "deny", ""),
        ('command = "FETCH", ' + argument, "deny", ""),
        ('command = "APPEND", ' + size, "deny", ""),
        ('command = "SELECT", ' + mailbox, "deny", ""),
        ('command = ["STORE", "EXPUNGE"], ' + domain, "deny", ""),
        (domain + ', tls_version = "<1.3"', "require-tls", 'minimum = "1.3"'),
        (user, "rewrite-user", "to = 'renamed%d@customer.example'" % number),
    )
    return rule("%d-%d" % (kind, number), *kinds[kind])


def text(count):
    return "\n".join(of_kind(number % 10, number // 10) for number in range(count))
