"""Notifications to users, and what the print station of the warehouse tells of its jobs."""

import strawberry
from strawberry import UNSET

from hub.services import notifications, print_jobs
from hub.services.notifications import NotificationDraft
from schema.answers import Json, Record, answer
from schema.inputs import about, inputs
from schema.writing import USER, Call, Change, mutation

NOTIFICATION = answer("NotificationPayload", notification=Record("Notification", "The notification as it was sent."))
PRINT_JOB = answer("PrintJobPayload", print_job=Record("PrintJob", "The print job as it is now."))


@inputs()
class NotificationAddInput(Change):
    """A message for one user, or for all users of the tenant."""

    title: str = about("What it is about.")
    message: str = about("What is to be said.")
    recipient_id: strawberry.ID | None = about("For whom; everybody when absent.", default=UNSET, of="User")


@inputs()
class PrintJobDoneInput(Change):
    """A print job that came out of the printer."""

    id: strawberry.ID = about("The print job.", of="PrintJob", called="printJobId")


@inputs()
class PrintJobFailedInput(Change):
    """A print job that could not be printed."""

    id: strawberry.ID = about("The print job.", of="PrintJob", called="printJobId")
    message: str = about("Why it could not be printed.")


@mutation(NOTIFICATION, needs=USER)
async def notification_add(call: Call, input: NotificationAddInput) -> Json:
    """Sends a notification; equal texts are notifications of their own."""
    draft = NotificationDraft(**call.filled(input))
    return {"notification": await notifications.add(call.work, notification=draft)}


@mutation(PRINT_JOB, needs=USER)
async def print_job_done(call: Call, input: PrintJobDoneInput) -> Json:
    """Notes that a print job is printed; telling it twice is no change."""
    print_job_id = call.values(input)["id"]
    await print_jobs.done(call.work, print_job_id=print_job_id)
    return {"print_job": print_job_id}


@mutation(PRINT_JOB, needs=USER)
async def print_job_failed(call: Call, input: PrintJobFailedInput) -> Json:
    """Notes that a print job could not be printed, and why."""
    print_job_id = call.values(input)["id"]
    await print_jobs.failed(call.work, print_job_id=print_job_id, message=input.message)
    return {"print_job": print_job_id}
