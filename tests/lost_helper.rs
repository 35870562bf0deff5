//! A helper that breaks off does not leave its caller waiting. A process of its own: the pool stays lost.
#![cfg(not(target_arch = "wasm32"))]
use nabla::backend::cpu::pool;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::channel;
use std::sync::{Barrier, Mutex};

#[test]
fn the_caller_gives_up_on_a_part_that_nobody_finishes() {
    pool::start(2);
    // On the web a trap ends the helper; here it sleeps for good.
    let both = Barrier::new(2);
    let (tell, told) = channel();
    let tell = Mutex::new(tell);
    let job = |_: usize, thread: usize| {
        both.wait();
        if thread > 0 {
            pool::lose();
            tell.lock().unwrap().send(thread).unwrap();
            loop {
                std::thread::park();
            }
        }
    };
    let ended = catch_unwind(AssertUnwindSafe(|| pool::run(2, 2, &job)));
    let message = *ended.unwrap_err().downcast::<&str>().unwrap();
    assert_eq!(message, "a helper thread broke off");
    assert_eq!(told.recv(), Ok(1));
    // Later jobs are the caller's alone.
    let sum = Mutex::new(0);
    pool::run(2, 4, &|part, thread| {
        assert_eq!(thread, 0);
        *sum.lock().unwrap() += part;
    });
    assert_eq!(*sum.lock().unwrap(), 6);
}
