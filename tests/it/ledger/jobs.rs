//! Jobs: accepted, begun in order, ended once.

use tecnico::domain::event::{EventKind, NewEvent};
use tecnico::ledger::{JobKind, JobState, NewJob, Which};

use super::{fixture, user};

fn job(id: &str, kind: JobKind) -> NewJob {
    NewJob { id: id.into(), kind, user: user("42"), request: "{}".into(), callback_url: None }
}

#[tokio::test]
async fn a_job_is_begun_in_its_turn_and_ends_once_with_its_event() -> anyhow::Result<()> {
    let fixture = fixture().await;
    let ledger = &fixture.ledger;
    for (id, kind) in [("job_1", JobKind::Create), ("job_2", JobKind::Process), ("job_3", JobKind::Create)] {
        assert!(ledger.accept_job(&job(id, kind), 10, 1000).await?);
    }
    let first = ledger.begin_job(JobKind::Create, 1000).await?.expect("one is due");
    assert_eq!((first.job.id.as_str(), first.state, first.attempts), ("job_1", JobState::Running, 1));
    assert_eq!(ledger.begin_job(JobKind::Create, 1000).await?.map(|r| r.job.id).as_deref(), Some("job_3"));
    assert_eq!(ledger.begin_job(JobKind::Create, 1000).await?, None);
    let event = NewEvent {
        kind: EventKind::Folders,
        user: first.job.user.clone(),
        job_id: "job_1".into(),
        url: "http://127.0.0.1:1/".into(),
        by_caller: false,
        payload: "{}".into(),
    };
    assert!(ledger.end_job("job_1", JobState::Success, "{}", Some(&event), 2000).await?);
    assert!(!ledger.end_job("job_1", JobState::Error, "{}", Some(&event), 2001).await?, "it has ended");
    assert_eq!(ledger.job("job_1").await?.map(|r| (r.state, r.changed_at)), Some((JobState::Success, 2000)));
    assert_eq!(ledger.events(Which::All, 10).await?.len(), 1);
    assert_eq!(ledger.payloads_of_job("job_1").await?, ["{}"]);
    assert_eq!(ledger.job("job_9").await?, None);
    Ok(())
}

#[tokio::test]
async fn what_a_crash_left_and_what_must_wait_come_again() -> anyhow::Result<()> {
    let fixture = fixture().await;
    let ledger = &fixture.ledger;
    ledger.accept_job(&job("job_1", JobKind::Create), 10, 1000).await?;
    ledger.begin_job(JobKind::Create, 1000).await?.expect("due");
    assert_eq!(ledger.put_jobs_back(2000).await?, 1);
    assert_eq!(ledger.begin_job(JobKind::Create, 2000).await?.map(|r| r.attempts), Some(2));
    ledger.put_job_back("job_1", 7000, true, 2000).await?;
    assert_eq!(ledger.begin_job(JobKind::Create, 6999).await?, None);
    assert_eq!(ledger.begin_job(JobKind::Create, 7000).await?.map(|r| r.attempts), Some(3));
    ledger.put_job_back("job_1", 7000, false, 7000).await?;
    assert_eq!(ledger.begin_job(JobKind::Create, 7000).await?.map(|r| r.attempts), Some(3), "as if it had not been begun");
    // A clock that was a year ahead holds nothing back.
    ledger.put_job_back("job_1", 31_536_000_000, true, 7000).await?;
    assert!(ledger.begin_job(JobKind::Create, 8000).await?.is_some());
    Ok(())
}

#[tokio::test]
async fn only_what_ended_long_ago_is_forgotten() -> anyhow::Result<()> {
    let fixture = fixture().await;
    let ledger = &fixture.ledger;
    for id in ["job_old", "job_new", "job_open"] {
        ledger.accept_job(&job(id, JobKind::Create), 10, 1000).await?;
        ledger.begin_job(JobKind::Create, 1000).await?.expect("due");
    }
    ledger.end_job("job_old", JobState::Success, "{}", None, 2000).await?;
    ledger.end_job("job_new", JobState::Error, "{}", None, 9000).await?;
    assert_eq!(ledger.forget_jobs(5000).await?, 1);
    let kept = [ledger.job("job_old").await?, ledger.job("job_new").await?, ledger.job("job_open").await?].map(|row| row.is_some());
    assert_eq!(kept, [false, true, true]);
    assert_eq!(ledger.forget_jobs(5000).await?, 0);
    Ok(())
}

#[tokio::test]
async fn only_so_many_are_accepted_until_some_have_ended() -> anyhow::Result<()> {
    let fixture = fixture().await;
    let ledger = &fixture.ledger;
    assert!(ledger.accept_job(&job("job_1", JobKind::Create), 2, 1).await?);
    assert!(ledger.accept_job(&job("job_2", JobKind::Process), 2, 1).await?);
    assert!(!ledger.accept_job(&job("job_3", JobKind::Create), 2, 1).await?);
    ledger.end_job("job_1", JobState::Error, "{}", None, 2).await?;
    assert!(ledger.accept_job(&job("job_3", JobKind::Create), 2, 3).await?);
    Ok(())
}
