//! A fixed set of threads for work that only burns CPU: RSA signatures above all.
//!
//! An async thread that signs for 300 µs keeps hundreds of connections waiting; these threads are made for it. The
//! queue needs no limit of its own: each entry belongs to a request, and requests are limited by the listener. With
//! no threads the work runs at once in the caller, which is what the simulator needs to repeat a run.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use tokio::sync::oneshot;

type Job = Box<dyn FnOnce() + Send>;

/// The threads and their queue.
pub struct CpuPool {
    queue: Arc<Queue>,
    threads: Vec<JoinHandle<()>>,
}

#[derive(Default)]
struct Queue {
    state: Mutex<State>,
    wake: Condvar,
}

#[derive(Default)]
struct State {
    jobs: VecDeque<Job>,
    closed: bool,
}

impl CpuPool {
    /// Starts `threads` threads; with 0 every job runs inline.
    pub fn new(threads: usize) -> std::io::Result<CpuPool> {
        let mut pool = CpuPool { queue: Arc::default(), threads: Vec::with_capacity(threads) };
        for index in 0..threads {
            let queue = pool.queue.clone();
            let thread = std::thread::Builder::new().name(format!("cpu-{index}"));
            pool.threads.push(thread.spawn(move || queue.work())?);
        }
        Ok(pool)
    }

    /// A pool without threads: the simulator's, and the command line's.
    pub fn inline() -> CpuPool {
        CpuPool { queue: Arc::default(), threads: Vec::new() }
    }

    /// Runs `job` and gives its result; a panic of the job goes on in the caller. A caller that stops waiting does not
    /// stop the job.
    pub async fn run<T, F>(&self, job: F) -> T
    where
        T: Send + 'static,
        F: FnOnce() -> T + Send + 'static,
    {
        if self.threads.is_empty() {
            return job();
        }
        let (answer, waiting) = oneshot::channel();
        self.queue.push(Box::new(move || {
            // The receiver may be gone because the connection was closed; then nobody misses the result.
            let _ = answer.send(catch_unwind(AssertUnwindSafe(job)));
        }));
        match waiting.await.expect("a queued job always answers: the pool finishes its queue before it ends") {
            Ok(result) => result,
            Err(panic) => resume_unwind(panic),
        }
    }

    /// How many threads there are.
    pub fn threads(&self) -> usize {
        self.threads.len()
    }

    /// How many jobs wait for a thread.
    pub fn waiting(&self) -> usize {
        self.queue.lock().jobs.len()
    }
}

impl Drop for CpuPool {
    fn drop(&mut self) {
        self.queue.lock().closed = true;
        self.queue.wake.notify_all();
        let this_thread = std::thread::current().id();
        for thread in self.threads.drain(..) {
            // The last reference may be dropped by a job; a thread cannot wait for itself.
            if thread.thread().id() != this_thread {
                let _ = thread.join();
            }
        }
    }
}

impl std::fmt::Debug for CpuPool {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("CpuPool").field("threads", &self.threads.len()).finish()
    }
}

impl Queue {
    fn push(&self, job: Job) {
        self.lock().jobs.push_back(job);
        self.wake.notify_one();
    }

    fn work(&self) {
        while let Some(job) = self.next() {
            job();
        }
    }

    fn next(&self) -> Option<Job> {
        let mut state = self.lock();
        loop {
            match state.jobs.pop_front() {
                Some(job) => return Some(job),
                None if state.closed => return None,
                None => state = self.wake.wait(state).unwrap_or_else(PoisonError::into_inner),
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // No job runs while the lock is held, so a poisoned state is still whole.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::executor::block_on;
    use futures::future::join_all;

    #[test]
    fn jobs_run_on_the_pool_and_answer_in_order_of_asking() {
        for threads in [0, 1, 3] {
            let pool = CpuPool::new(threads).unwrap();
            let caller = std::thread::current().id();
            let jobs = (0..100_u64).map(|number| pool.run(move || (number * 2, std::thread::current().id())));
            for (number, (double, thread)) in (0..).zip(block_on(join_all(jobs))) {
                assert_eq!(double, number * 2);
                assert_eq!(thread == caller, threads == 0);
            }
        }
    }

    #[test]
    fn a_panicking_job_reaches_its_caller_and_spares_the_thread() {
        let pool = CpuPool::new(1).unwrap();
        let panicked = catch_unwind(AssertUnwindSafe(|| block_on(pool.run(|| panic!("on purpose")))));
        assert_eq!(panicked.unwrap_err().downcast_ref(), Some(&"on purpose"));
        assert_eq!(block_on(pool.run(|| 7)), 7);
    }

    #[test]
    fn an_abandoned_job_is_finished_before_the_pool_ends() {
        let pool = CpuPool::new(1).unwrap();
        let (entered, wait_until_entered) = std::sync::mpsc::channel();
        let (finish, may_finish) = std::sync::mpsc::channel::<()>();
        let (done, finished) = std::sync::mpsc::channel();
        let mut first = Box::pin(pool.run(move || {
            entered.send(()).unwrap();
            may_finish.recv().unwrap();
        }));
        let mut second = Box::pin(pool.run(move || done.send(()).unwrap()));
        assert!(futures::FutureExt::now_or_never(&mut first).is_none());
        assert!(futures::FutureExt::now_or_never(&mut second).is_none());
        wait_until_entered.recv().unwrap();
        assert_eq!(pool.waiting(), 1);
        drop((first, second));
        finish.send(()).unwrap();
        drop(pool);
        assert_eq!(finished.try_recv(), Ok(()));
    }
}
