from enum import StrEnum

from app.core.state_machine import Moves


class JobStatus(StrEnum):
    PENDING = "pending"
    PROCESSING = "processing"
    COMPLETED = "completed"
    FAILED = "failed"


MOVES = Moves(
    {
        JobStatus.PENDING: (JobStatus.PROCESSING,),
        JobStatus.PROCESSING: (JobStatus.COMPLETED, JobStatus.FAILED, JobStatus.PENDING),
        JobStatus.FAILED: (JobStatus.PENDING,),
    }
)
