// The producer and the workers of the graphile-worker and BullMQ ways: `node node_worker.mjs work|produce KIND ...`.
//
// The modules are those that install.sh has put into BENCH_MODULES.

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";

const { BENCH_MODULES, BENCH_URL, BENCH_CA_FILE, BENCH_BODY_FILE, BENCH_QUEUE } = process.env;
const require = createRequire(`${BENCH_MODULES}/`);
const CONCURRENCY = Number(process.env.BENCH_CONCURRENCY ?? 100); // jobs of one worker, each with one request in flight
const TUNED = process.env.BENCH_TUNED !== "no";
const BATCH = 200; // jobs that the producer adds at once
const TASK = "deliver";

async function poster() {
  const { Client, Pool } = require("undici");
  const url = new URL(BENCH_URL);
  const pool = new Pool(url.origin, {
    connections: CONCURRENCY,
    factory: (origin, options) => new Client(origin, options),
    connect: { ca: readFileSync(BENCH_CA_FILE) },
  });
  return async ({ id, body }) => {
    const headers = { "content-type": "application/json", "webhook-id": id };
    const answer = await pool.request({ path: url.pathname, method: "POST", headers, body });
    await answer.body.dump();
    if (answer.statusCode !== 200) throw new Error(`status ${answer.statusCode}`);
  };
}

const kinds = {
  // Jobs are fetched into a local queue and completed in batches, as its page on performance recommends.
  graphile: {
    async work(post) {
      const { run, Logger } = require("graphile-worker");
      await run({
        connectionString: BENCH_QUEUE,
        taskList: { [TASK]: post },
        preset: {
          worker: {
            concurrentJobs: CONCURRENCY,
            logger: new Logger(() => () => {}),
            ...(TUNED && {
              maxPoolSize: 10,
              pollInterval: 1000,
              localQueue: { size: 500, refetchDelay: { durationMs: 5, threshold: 50 } },
              completeJobBatchDelay: 2,
              failJobBatchDelay: 2,
            }),
          },
        },
      });
    },
    async producer() {
      const { makeWorkerUtils, Logger } = require("graphile-worker");
      const utils = await makeWorkerUtils({ connectionString: BENCH_QUEUE, logger: new Logger(() => () => {}) });
      await utils.migrate();
      return {
        add: (jobs) => utils.addJobs(jobs.map((payload) => ({ identifier: TASK, payload }))),
        close: () => utils.release(),
      };
    },
  },
  bullmq: {
    async work(post) {
      const { Worker } = require("bullmq");
      const worker = new Worker(TASK, (job) => post(job.data), {
        connection: { host: "127.0.0.1", port: Number(BENCH_QUEUE) },
        concurrency: CONCURRENCY,
        removeOnComplete: { count: 0 },
      });
      worker.on("error", (error) => console.error(error));
      await worker.waitUntilReady();
    },
    async producer() {
      const { Queue } = require("bullmq");
      const queue = new Queue(TASK, { connection: { host: "127.0.0.1", port: Number(BENCH_QUEUE) } });
      await queue.waitUntilReady();
      return {
        add: (jobs) => queue.addBulk(jobs.map((data) => ({ name: TASK, data }))),
        close: () => queue.close(),
      };
    },
  },
};

async function produce(kind, prefix, count, rate) {
  const producer = await kind.producer();
  const body = readFileSync(BENCH_BODY_FILE, "utf8");
  console.log("ready");
  const input = createInterface({ input: process.stdin });
  await input[Symbol.asyncIterator]().next();
  input.close();
  const start = Date.now() / 1000;
  console.log(start);
  for (let given = 0; given < count; ) {
    const due = rate ? Math.min(count, 1 + Math.floor((Date.now() / 1000 - start) * rate)) : count;
    const last = Math.min(due, given + BATCH);
    if (last > given) {
      await producer.add(Array.from({ length: last - given }, (_, number) => ({ id: `${prefix}${given + number}`, body })));
      given = last;
    } else {
      await sleep(2);
    }
  }
  await producer.close();
}

const [mode, kind, prefix, count, rate] = process.argv.slice(2);
if (mode === "work") await kinds[kind].work(await poster());
else await produce(kinds[kind], prefix, Number(count), Number(rate));
