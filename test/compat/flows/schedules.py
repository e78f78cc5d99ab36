"""Deployments with interval, cron and rrule schedules: which runs the server makes, and when it removes them.

No process runs these deployments: the runs stay Scheduled.
"""

from datetime import datetime, timedelta, timezone
from zoneinfo import ZoneInfo

from facts import NAME, tell, until

from prefect import flow
from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import DeploymentFilter, DeploymentFilterId, FlowRunFilter, FlowRunFilterStateType
from prefect.client.schemas.filters import FlowRunFilterState
from prefect.client.schemas.objects import StateType
from prefect.client.schemas.schedules import CronSchedule, IntervalSchedule, RRuleSchedule
from prefect.client.schemas.sorting import FlowRunSort
from prefect.schedules import Cron, Interval, RRule

BERLIN = ZoneInfo("Europe/Berlin")


@flow(name=f"{NAME}-scheduled")
def scheduled(who: str = "default", n: int = 0):
    pass


def deploy(name, **options):
    return scheduled.to_deployment(name, **options).apply()


def runs(deployment):
    with get_client(sync_client=True) as client:
        return client.read_flow_runs(
            deployment_filter=DeploymentFilter(id=DeploymentFilterId(any_=[deployment])),
            flow_run_filter=FlowRunFilter(state=FlowRunFilterState(type=FlowRunFilterStateType(any_=[StateType.SCHEDULED]))),
            sort=FlowRunSort.EXPECTED_START_TIME_ASC,
            limit=200,
        )


def some_runs(deployment, enough=3):
    # The reference's scheduler looks for changed deployments every 5 s, for changed schedules every 60 s.
    return until(lambda: runs(deployment), lambda found: len(found) >= enough, 70)


def no_runs(deployment):
    return len(until(lambda: runs(deployment), lambda found: not found, 70))


def steps(found):
    times = [r.expected_start_time for r in found]
    return sorted({(b - a).total_seconds() for a, b in zip(times, times[1:])})


anchor = datetime(2024, 1, 1, 0, 0, 30, tzinfo=timezone.utc)
interval = deploy("interval", schedule=Interval(timedelta(minutes=10), anchor_date=anchor, parameters={"who": "interval"}))
cron = deploy("cron", schedule=Cron("30 2 * * *", timezone="Europe/Berlin"))
rrule = deploy("rrule", schedule=RRule("FREQ=WEEKLY;BYDAY=MO,FR;BYHOUR=9;BYMINUTE=15;BYSECOND=0", timezone="America/New_York"))
several = deploy(
    "several",
    parameters={"n": 1},
    schedules=[
        Interval(timedelta(hours=1), anchor_date=anchor, slug="hourly", parameters={"who": "hourly"}),
        Cron("15 * * * *", timezone="UTC", slug="quarter", parameters={"who": "quarter", "n": 2}),
        Cron("45 * * * *", timezone="UTC", slug="off", active=False, parameters={"who": "off"}),
    ],
)
paused = deploy("paused", interval=60, paused=True)

interval_runs = some_runs(interval)
cron_runs = some_runs(cron)
rrule_runs = some_runs(rrule)
several_runs = until(lambda: some_runs(several, 6), lambda found: len({r.parameters["who"] for r in found}) == 2)

facts = dict(
    interval_steps=steps(interval_runs),
    interval_seconds=sorted({r.expected_start_time.second for r in interval_runs}),
    interval_parameters=interval_runs[0].parameters,
    interval_auto=all(r.auto_scheduled for r in interval_runs),
    interval_states=sorted({r.state_name for r in interval_runs}),
    cron_local=sorted({r.expected_start_time.astimezone(BERLIN).strftime("%H:%M") for r in cron_runs}),
    rrule_local=sorted({r.expected_start_time.astimezone(ZoneInfo("America/New_York")).strftime("%a %H:%M") for r in rrule_runs}),
    several=sorted({(r.parameters["who"], r.parameters["n"]) for r in several_runs}),
    paused=len(runs(paused)),
)

with get_client(sync_client=True) as client:
    # A change of the schedule replaces the runs that are no longer due.
    deploy("interval", schedule=Interval(timedelta(minutes=20), anchor_date=anchor))
    changed = until(lambda: runs(interval), lambda found: steps(found) == [1200.0] and len(found) > 2, 30)
    facts["changed_steps"] = steps(changed)
    facts["changed_parameters"] = changed[0].parameters if changed else None

    # One of several schedules is paused, then gets new parameters.
    by_slug = {s.slug: s for s in client.read_deployment(several).schedules}
    client.update_deployment_schedule(several, by_slug["hourly"].id, active=False)
    facts["after_pause_of_one"] = sorted(
        {r.parameters["who"] for r in until(lambda: runs(several), lambda found: {r.parameters["who"] for r in found} == {"quarter"}, 70)}
    )
    client.update_deployment_schedule(several, by_slug["off"].id, active=True, parameters={"who": "off"})
    both = until(lambda: runs(several), lambda found: len({r.parameters["who"] for r in found}) == 2, 70)
    facts["after_resume_of_other"] = sorted({r.parameters["who"] for r in both})

    # Pausing the deployment, and resuming it.
    client.pause_deployment(cron)
    facts["after_pause"] = no_runs(cron)
    client.resume_deployment(cron)
    facts["after_resume"] = len(some_runs(cron)) > 2

    # Deleting the schedule; a run made by hand stays.
    by_hand = client.create_flow_run_from_deployment(rrule)
    client.delete_deployment_schedule(rrule, client.read_deployment(rrule).schedules[0].id)
    left = until(lambda: runs(rrule), lambda found: len(found) == 1, 70)
    facts["left_after_delete"] = [r.id == by_hand.id for r in left]

    # New schedules by the client: each kind over the day on which Berlin's clocks change.
    ids = client.create_deployment_schedules(
        paused,
        [
            (CronSchedule(cron="0 9 * * *", timezone="Europe/Berlin"), True),
            (IntervalSchedule(interval=timedelta(days=1), anchor_date=datetime(2024, 1, 1, 9, tzinfo=BERLIN), timezone="Europe/Berlin"), True),
            (RRuleSchedule(rrule="FREQ=DAILY;BYHOUR=9;BYMINUTE=0;BYSECOND=0", timezone="Europe/Berlin"), True),
        ],
    )
    facts["added"] = len(ids)
    for s in client.read_deployment(paused).schedules:
        if s.id not in {i.id for i in ids}:
            client.delete_deployment_schedule(paused, s.id)
    client.resume_deployment(paused)
    facts["nine_in_berlin"] = sorted(
        {r.expected_start_time.astimezone(BERLIN).strftime("%H:%M") for r in some_runs(paused)}
    )
tell(**facts)
