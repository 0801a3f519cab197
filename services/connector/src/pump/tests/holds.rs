//! How long what a carrier does not want now is held by the router.

use super::*;

/// Answers every part with a hold for three seconds; how long the order is handed back for.
async fn handed_back(rate: Option<u32>) -> Duration {
    let world = world_with(&[long_order(1, 10)]).await;
    let mut rig = Rig::up_with(&world, |settings| (settings.rate, settings.window) = (rate, 20)).await;
    let Verdict::Refused { rule, detail, .. } = refused("hold") else {
        unreachable!("a hold is a refusal")
    };
    let mut parts = 0;
    while parts < 10 {
        for job in rig.jobs().await {
            parts += 1;
            let (detail, retry_after) = (detail.clone(), Some(Duration::from_secs(3)));
            let verdict = Verdict::Refused {
                rule,
                detail,
                retry_after,
            };
            rig.answer(&job, verdict);
        }
    }
    settle().await;
    match &world.answers().await[..] {
        [answer] => match answer.outcome {
            journey::Outcome::Hold { retry_after, .. } => retry_after,
            ref other => panic!("{other:?}"),
        },
        other => panic!("{other:?}"),
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_handed_back_stays_away_until_its_account_has_tokens_for_it() {
    assert_eq!(
        handed_back(None).await,
        Duration::from_secs(5),
        "the shortest wait of a router"
    );
    let owed = handed_back(Some(1)).await;
    assert!(
        (Duration::from_secs(9)..=Duration::from_secs(10)).contains(&owed),
        "ten parts of a second each were taken on credit: {owed:?}"
    );
}
