"""Write the fixtures of package schedule by running the reference's own classes.

Run it in this folder with the Python of an environment that has prefect==3.8.8 (Python 3.11); give
0 cases to leave dates.json and syntax.json as they are:

    TZ=UTC python -W ignore generate.py [cases per kind, default 400] [folder, default .] [seed, default 1]

dates.json:  what get_dates answers, in microseconds since 1970.
../zones.txt: the zones it knows.
wire.json:   what the API answers to a schedule in a request: its stored form, or the refusal.
syntax.json: which cron expressions are accepted.
"""

import asyncio
import calendar
import datetime
import itertools
import json
import pathlib
import random
import signal
import sys
from zoneinfo import available_timezones

from prefect._internal.schemas.validators import validate_cron_string
from prefect.server.schemas.actions import DeploymentScheduleCreate
from prefect.server.schemas.schedules import CronSchedule, IntervalSchedule, RRuleSchedule

UTC = datetime.timezone.utc
ZONES = ["UTC", "America/New_York", "Europe/Berlin", "Europe/London", "Australia/Lord_Howe", "Asia/Kolkata",
         "America/Sao_Paulo", "Asia/Tokyo", "Pacific/Auckland", "America/St_Johns", "Africa/Casablanca",
         "Pacific/Chatham", "America/Santiago", "Asia/Kathmandu"]
STARTS = ["2026-03-08T05:10:00", "2026-03-08T06:59:59", "2026-03-08T07:00:00", "2026-03-29T00:00:00",
          "2026-03-29T01:00:00.5", "2026-10-25T00:30:00", "2026-10-25T01:10:00", "2026-11-01T04:59:00",
          "2026-11-01T05:30:00", "2026-11-01T06:10:00", "2026-04-04T14:50:00", "2026-10-03T15:20:00.250",
          "2026-01-01T00:00:00", "2026-02-27T23:59:59.999", "2028-02-28T12:00:00", "2026-12-31T23:00:00",
          "2026-09-26T13:59:00", "2026-07-15T09:30:00", "2019-06-01T00:00:00", "2031-05-05T05:05:05"]
CRONS = ["0 * * * *", "*/15 * * * *", "*/30 1-3 * * *", "0 2 * * *", "30 2 * * *", "30 1 * * *", "0 0 * * *",
         "0 9 * * 1-5", "0 0 1 * *", "0 0 l * *", "0 0 31 * *", "0 0 1,30 * *", "0 0 29 2 *", "0 12 * * 5#2",
         "0 12 * * l5", "0 0 13 * 5", "0 0 1-7 * mon", "5 4 * * sun", "0 0 * * 7", "@hourly", "@daily", "@weekly",
         "@monthly", "@yearly", "0 0 * jan-mar *", "0 0 * nov-feb *", "0 22-4/2 * * *", "*/7 * * * *", "1/20 * * * *",
         "* * * * * */20", "0 3 * * * 30", "59 23 31 12 *", "0 0 30 2 *", "0 0 1 1 * 0 2027-2030", "0 0 30 2 1",
         "0 0 * * 1#1,3#2", "0 0 13 * 1#2", "0 0 31,l * *", "0 0 ? * mon", "0 0 29-31 * *", "0,59 0,23 * * 6-1",
         "0 0 1-31 * 1", "0 0 * * 0-6", "0 1 * 3,11 0"]
RRULES = ["FREQ=DAILY", "FREQ=HOURLY", "FREQ=MINUTELY;INTERVAL=20", "FREQ=WEEKLY;BYDAY=MO,WE,FR",
          "FREQ=WEEKLY;INTERVAL=2;WKST=SU;BYDAY=SU,SA", "FREQ=MONTHLY;BYDAY=-1FR", "FREQ=MONTHLY;BYMONTHDAY=-1",
          "FREQ=MONTHLY;BYMONTHDAY=31", "FREQ=YEARLY;BYMONTH=3,11;BYDAY=SU", "FREQ=DAILY;BYHOUR=1,2,3;BYMINUTE=0,30",
          "FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1", "FREQ=YEARLY;BYWEEKNO=1,20,53;BYDAY=MO",
          "FREQ=YEARLY;BYYEARDAY=1,100,-1", "FREQ=YEARLY;BYEASTER=-2", "FREQ=SECONDLY;INTERVAL=45",
          "FREQ=DAILY;COUNT=2000", "FREQ=DAILY;UNTIL=20260401T000000", "FREQ=HOURLY;INTERVAL=5;BYDAY=SA,SU",
          "FREQ=MINUTELY;INTERVAL=10;BYHOUR=1,2", "FREQ=HOURLY;COUNT=60000", "FREQ=YEARLY", "FREQ=MONTHLY;INTERVAL=5",
          "FREQ=WEEKLY;INTERVAL=3", "FREQ=DAILY;INTERVAL=10;BYMONTH=1,3,10", "FREQ=WEEKLY;COUNT=5",
          "FREQ=DAILY;BYDAY=2MO", "FREQ=MONTHLY;BYDAY=+1MO,FR(-1)", "FREQ=YEARLY;INTERVAL=4;BYMONTH=2;BYMONTHDAY=29",
          "FREQ=WEEKLY;INTERVAL=2;BYDAY=TU,SU;BYSETPOS=1", "FREQ=HOURLY;BYMINUTE=0,15;BYSETPOS=-1",
          "FREQ=DAILY;INTERVAL=3;COUNT=900", "FREQ=MINUTELY;BYDAY=SU;BYHOUR=2;BYMINUTE=0,30", "FREQ=DAILY;COUNT=0",
          "FREQ=DAILY;BYMONTHDAY=0", "FREQ=DAILY;UNTIL=20260401T000000Z",
          "RRULE:FREQ=DAILY\nEXDATE:20260308T023000,20261101T013000", "RRULE:FREQ=DAILY\nEXRULE:FREQ=WEEKLY;BYDAY=SA,SU",
          "RRULE:FREQ=WEEKLY;BYDAY=MO\nRRULE:FREQ=MONTHLY;BYMONTHDAY=1", "RDATE:20260310T090000,20261101T013000Z",
          "RRULE:FREQ=MONTHLY;BYMONTHDAY=1\nRDATE:20260310T090000,20300101T000000"]
DTSTARTS = ["", "DTSTART:20200101T000000\n", "DTSTART:20260101T023000\n", "DTSTART;TZID=America/New_York:20251231T013000\n",
            "DTSTART:20240229T013000Z\n", "DTSTART:20180131\n", "DTSTART:20260308T020000\n"]
INTERVALS = [1800, 3600, 900, 7200, 86400, 172800, 604800, 90000, 43200, 0.1, 1.5, 86400.25, 5400, 31536000, 2592000, 61, 7]
ANCHORS = ["2026-01-01T07:30:00Z", "2020-01-01T00:00:00Z", "2026-03-01T02:30:00-05:00", "2026-07-01T05:30:00Z",
           "2026-10-20T01:30:00+02:00", "2027-06-01T12:00:00.123456Z", "2026-03-01T06:30:00Z", "1999-12-31T23:59:59Z"]

WIRE = [
    {"cron": "bad"}, {"cron": "* * * * 8"}, {"cron": "H * * * *"}, {"cron": "R * * * *"}, {"cron": "R bad * * *"},
    {"cron": "0 0 * * *", "timezone": "Mars/X"}, {"cron": "0 0 * * *", "timezone": ""}, {"cron": "0 0 * * *"},
    {"cron": "0 0 * * *", "timezone": None, "day_or": "false"}, {"cron": "0 0 * * *", "day_or": None},
    {"cron": "0 0 * * *", "day_or": 2}, {"cron": "0 0 * * *", "day_or": 0.5}, {"cron": "0 0 * * *", "day_or": "maybe"},
    {"cron": "0 0 * * *", "day_or": []}, {"cron": "0 0 * * *", "day_or": 1.0}, {"cron": "0 0 * * *", "day_or": "YES"},
    {"cron": 5}, {"cron": None}, {"cron": "0 0 30 2 *"}, {"cron": ""}, {"cron": "@hourly", "timezone": "Europe/Berlin"},
    {"cron": "bad", "timezone": "Mars/X", "foo": 1}, {"cron": "* * * * *", "timezone": 7},
    {"rrule": "RDATE:" + ",".join(["20200101T000000Z"] * 500)}, {"rrule": "FREQ=DAILY", "timezone": "Mars/X"},
    {"rrule": "FREQ=DAILY", "timezone": ""}, {"rrule": "FREQ=DAILY", "timezone": None},
    {"rrule": "FREQ=DAILY", "timezone": "xxUTCyy"}, {"rrule": "FREQ=MINUTELY;INTERVAL=7", "timezone": "America/New_York"},
    {"rrule": "FREQ=SECONDLY;INTERVAL=100000;COUNT=4"}, {"rrule": "FREQ=SECONDLY;INTERVAL=100000"}, {"rrule": 7},
    {"rrule": "FREQ=MINUTELY;INTERVAL=600000", "timezone": None}, {"rrule": "FREQ=MINUTELY", "timezone": "Asia/Tokyo"},
    {"interval": 0}, {"interval": -5}, {"interval": 3600}, {"interval": "3600"}, {"interval": "PT1H"}, {"interval": 0.5},
    {"interval": None}, {"interval": True}, {"interval": False}, {"interval": "abc"}, {"interval": 1e15}, {"interval": []},
    {"interval": 60, "anchor_date": None}, {"interval": 60, "timezone": "Mars/X"}, {"interval": 60, "timezone": ""},
    {"interval": 60, "timezone": 5}, {"interval": 60, "timezone": None}, {"interval": "nope", "anchor_date": "nope"},
    {}, None, "x", 5, [], True, {"interval": 60, "cron": "* * * * *"}, {"foo": 1}, {"cron": "* * * * *", "foo": 1},
    {"zeta": 1, "cron": "* * * * *", "alpha": {"a": [1, None]}},
]
WIRE += [{"interval": i} for i in [
    "", "1", "1h", "P", "PT", "P1X", "PT1H30M", "P1W", "-PT1H", "25:00:00", "1 day, 01:00:00", "1d 01:00", "2 days",
    "P1.5D", "PT0.5S", "P1Y", "P1M", {}, 1e-7, "00:00:00.5", "PT1H1", 1.0000005, 0.1234565, "12:60", "+PT5S", "3 d",
    "P1DT", "xyz", "1 day, 02:03:04.5", "-1 day, 00:00:01", "PT1,5S", 86400.25, 93600, 1e-6, 86399999913600]]
WIRE += [{"interval": 60, "anchor_date": a} for a in [
    True, [], {}, "20200101", "20200101T000000Z", "2020-01-01", "2020-01-01T00:00", "2020-01-01T00:00Z", "1577836800",
    "2020-01-01T00:00:00.1", "2020-01-01T00:00:00+0530", "2020-01-01T00:00:00+05", "2020-01-01T00:00:00-04:00", 5,
    1577836800, 1577836800000, 1577836800.5, "2020-13-01", "2020", "2020-01", "2020-01-01T25:00:00Z", "", "nope",
    "1577836800.25", "2020-01-01t00:00:00z", "2020-01-01_00:00:00", "2020-01-01 00:00:00", "-5",
    "2020-01-01T00:00:00.123456789Z", "2020-02-30T00:00:00Z"]]
WIRE += [{"rrule": r} for r in [
    "bad", "", "   ", "FREQ=DAILY", "FREQ=FOO", "FREQ=DAILY;COUNT=x", "FOO=1", "FREQ=DAILY;", "FOO:FREQ=DAILY", "=;",
    "FREQ=DAILY;UNTIL=20200301T000000Z", "FREQ=DAILY;UNTIL=zz", "DTSTART:zz\nFREQ=DAILY", "EXDATE:20200101T000000",
    "DTSTART:20200101T000000\nRRULE:FREQ=DAILY;UNTIL=20200301T000000Z", "DTSTART:20200101T000000\nRRULE:FREQ=DAILY",
    "FREQ=DAILY;BYDAY=XX", "FREQ=DAILY;BYDAY=", "FREQ=DAILY;INTERVAL=0", "FREQ=DAILY;INTERVAL=-1", "FREQ=HOURLY;BYHOUR=25",
    "FREQ=DAILY;BYSETPOS=0", "FREQ=DAILY;BYHOUR=25", "DTSTART:20200101T000000\nFREQ=HOURLY;INTERVAL=2;BYHOUR=3",
    "FREQ=MINUTELY;INTERVAL=1440;BYHOUR=3", "DTSTART:20200101\nFREQ=DAILY", "DTSTART;VALUE=DATE:20200101\nFREQ=DAILY",
    "DTSTART;TZID=America/New_York:20200101T090000\nRRULE:FREQ=DAILY", "DTSTART:2020-01-01T09:00:00\nFREQ=DAILY",
    "DTSTART:20200101T090000,20200102T090000\nFREQ=DAILY", "DTSTART;FOO=1:20200101\nFREQ=DAILY", "RRULE;X=1:FREQ=DAILY",
    "RDATE;X=1:20200101", "FREQ=DAILY;BYSECOND=60", "FREQ=DAILY;BYDAY=0MO", "FREQ=DAILY;BYDAY=+MO", "FREQ=DAILY;WKST=ZZ",
    "FREQ=DAILY;FREQ=WEEKLY", "FREQ=DAILY=3", "RRULE:RRULE:FREQ=DAILY", "DTSTART:20201301T000000\nFREQ=DAILY",
    "FREQ=DAILY;BYMONTH=13", "FREQ=DAILY;UNTIL=20200101;COUNT=3", "FREQ=DAILY;BYMINUTE=60", "FREQ=DAILY;COUNT= 3",
    "freq=daily;interval=2", "FREQ=DAILY FREQ=WEEKLY", "FREQ=DAILY\nEXDATE;TZID=America/New_York:20200101T000000",
    "DTSTART:20200101T000000Z\nFREQ=DAILY;UNTIL=20210101T000000", "RDATE:zz", "EXDATE:zz", "DTSTART:\nFREQ=DAILY",
    "DTSTART:20200101T000000 +01\nFREQ=DAILY", "FREQ=DAILY;BYHOUR=-1", "FREQ=DAILY;UNTIL=20200101T000000-0500",
    "FREQ=DAILY;RRULE=1", "FREQ=DAILY;INT=1", "FREQ=DAILY;BYWEEKDAY=MO", "EXRULE;X=1:FREQ=DAILY",
    "DTSTART;VALUE=DATE;VALUE=DATE:20200101\nFREQ=DAILY", "DTSTART:20200230T000000\nFREQ=DAILY",
    "DTSTART:20200101T250000\nFREQ=DAILY", "DTSTART;TZID=America/New_York:20200101T090000Z\nRRULE:FREQ=DAILY",
    "RRULE:FREQ=DAILY\nRDATE:20200101T000000", "FREQ=DAILY;BYDAY=MO(1", "FREQ=DAILY;BYDAY=MO(1)", "FREQ=DAILY;BYDAY=1"]]


def micros(t):
    return calendar.timegm(t.utctimetuple()) * 1_000_000 + t.microsecond


def start(text):
    return datetime.datetime.fromisoformat(text).replace(tzinfo=UTC)


class TooSlow(Exception):
    pass


def alarm(*_):
    raise TooSlow


def dates(rng, per_kind):
    signal.signal(signal.SIGALRM, alarm)
    kinds = {
        "interval": [{"interval": i, "anchor_date": a, "timezone": z}
                     for i, a, z in itertools.product(INTERVALS, ANCHORS, ZONES)],
        "cron": [{"cron": c, "timezone": z, "day_or": d} for c, z, d in itertools.product(CRONS, ZONES, [True, False])],
        "rrule": [{"rrule": d + r, "timezone": z} for r, d, z in itertools.product(RRULES, DTSTARTS, ZONES)],
    }
    classes = {"interval": IntervalSchedule, "cron": CronSchedule, "rrule": RRuleSchedule}
    for kind, schedules in kinds.items():
        made = 0
        while made < per_kind:
            # Some rules keep the reference busy for longer than is worth waiting; those draw again.
            schedule, begin = rng.choice(schedules), start(rng.choice(STARTS))
            # The edges of most zones lie around the listed starts; wander a little.
            begin += datetime.timedelta(minutes=rng.choice([0, 0, 0, -30, 30, 60, -600, 480, 1440]))
            end = begin + datetime.timedelta(hours=rng.choice([3, 30, 400])) if rng.random() < 0.25 else None
            case = {"schedule": schedule, "from": micros(begin), "to": micros(end) if end else None, "max": 7}
            signal.alarm(6)
            try:
                found = asyncio.run(classes[kind](**schedule).get_dates(7, begin, end))
                case["want"] = [micros(t) for t in found]
            except TooSlow:
                continue
            except Exception as e:  # noqa: BLE001 - whatever it raises is the answer
                case["error"] = type(e).__name__
            finally:
                signal.alarm(0)
            made += 1
            yield case


def wire():
    for schedule in WIRE:
        now = datetime.datetime.now(UTC)
        case = {"schedule": schedule, "now": micros(now)}
        try:
            stored = DeploymentScheduleCreate.model_validate(
                {"schedule": schedule}, from_attributes=True).schedule.model_dump(mode="json")
            if "interval" in stored and "anchor_date" not in schedule:
                stored["anchor_date"] = "now"
            case["stored"] = stored
        except Exception as e:  # noqa: BLE001
            case["refused"] = [{k: v for k, v in d.items() if k != "url"} for d in json.loads(e.json())]
            for d, full in zip(case["refused"], e.errors()):
                d["loc"] = list(full["loc"])[1:]
                if d["type"] == "string_pattern_mismatch":  # ten kilobytes each
                    d["msg"] = d["msg"].replace(d["ctx"]["pattern"], "{zones}")
                    d["ctx"]["pattern"] = "{zones}"
                if d["type"] == "value_error" and "ctx" in d:
                    d["ctx"] = {"error": {}}
        yield case


def syntax(rng, count):
    atoms = [["*", "0", "5", "59", "60", "*/5", "10/20", "*/0", "5-10", "10-5", "1,2,,3", "0-59/7", "?", "x", "5-", "-5", "0-60"],
             ["*", "0", "23", "24", "1-5", "22-3/2", "*/6", "0,12", "?", "r", "1-1"],
             ["*", "?", "1", "0", "31", "32", "l", "L", "l-2", "15w", "1-l", "5-0", "1,l", "1-31", "0-5", "1-5#2"],
             ["*", "1", "0", "12", "13", "jan", "FEB-apr", "nov-feb/2", "jan,jun", "foo", "2/3", "?"],
             ["*", "?", "0", "7", "8", "mon", "sun-mon", "1#1", "1#6", "5l", "l5", "L7", "l", "mon#2,tue#3", "1#1,2", "mon-fri#1",
              "fri-mon", "0-6", "1-7", "6-7", "7#1", "0-7", "1,l5", "jan#1", "l8"],
             ["0", "30", "*", "60", "*/15"], ["2026", "*", "1969", "2020-2030", "2100"]]
    for _ in range(count):
        columns = rng.choice([5] * 12 + [6, 6, 6, 7, 7, 4, 8])
        fields = [rng.choice(a) if rng.random() < 0.5 else a[0] for a in (atoms + [["*"]])[:columns]]
        yield " ".join(fields)
    yield from ["@hourly", "@Daily", "@weekly", "@monthly", "@yearly", "@annually", "@midnight", "@reboot", " @hourly", "",
                "h * * * *", "r * * * *", "h(0-5) * * * *", "*\t*\n* * *", "0 0 1 1 0", "a b c d e", "99999999999999999999 * * * *",
                "*/99999999999999999999 * * * *", "1-2-3 * * * *", "1/2/3 * * * *", "* * * * *#1", "* * * * L"]


def main():
    per_kind = int(sys.argv[1]) if len(sys.argv) > 1 else 400
    folder = pathlib.Path(sys.argv[2] if len(sys.argv) > 2 else ".")
    rng = random.Random(int(sys.argv[3]) if len(sys.argv) > 3 else 1)

    def write(name, cases):
        lines = ",\n".join(json.dumps(c, separators=(",", ":")) for c in cases)
        (folder / name).write_text("[\n" + lines + "\n]\n")

    write("wire.json", wire())
    if per_kind == 0:
        (folder / ".." / "zones.txt").write_text("\n".join(sorted(available_timezones())) + "\n")
        return
    write("dates.json", dates(rng, per_kind))

    def accepted(expression):
        try:
            validate_cron_string(expression)
            return True
        except ValueError:
            return False

    write("syntax.json", ({"cron": e, "ok": accepted(e)} for e in dict.fromkeys(syntax(rng, per_kind * 2))))


if __name__ == "__main__":
    main()
