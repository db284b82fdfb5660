// What a benchmark needs: processes on one core, their CPU time, medians.
import { spawn } from 'node:child_process';
import { readFileSync, readdirSync } from 'node:fs';
import { createInterface } from 'node:readline';

const TICK = 100; // USER_HZ of Linux

// Starts COMMAND on one core; resolves with the JSON of its ready line.
export function startPinned(core, command, args, { env = {}, wait = true } = {}) {
  const child = spawn('taskset', ['-c', String(core), command, ...args],
    { env: { ...process.env, ...env }, stdio: ['pipe', 'pipe', 'inherit'] });
  const ready = new Promise((resolve, reject) => {
    createInterface({ input: child.stdout }).once('line', (line) => resolve(JSON.parse(line)));
    child.once('exit', (code) => reject(new Error(`${command} ended with ${code}`)));
  });
  ready.catch(() => {});
  const handle = {
    pid: child.pid, // taskset becomes the command
    ready,
    async stop() {
      if (child.exitCode !== null) return;
      const gone = new Promise((r) => child.once('exit', r));
      child.kill('SIGTERM');
      await gone;
    },
  };
  return wait ? ready.then((info) => Object.assign(handle, { info })) : handle;
}

// The same for a program that prints no ready line.
export function startPlain(core, command, args) {
  const child = spawn('taskset', ['-c', String(core), command, ...args], { stdio: ['ignore', 'inherit', 'inherit'] });
  return {
    pid: child.pid,
    async stop() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const gone = new Promise((r) => child.once('exit', r));
      child.kill('SIGTERM');
      await gone;
    },
  };
}

// CPU seconds of all threads of a process, to the microsecond where the
// kernel keeps schedstat, else to a hundredth.
export function cpuSeconds(pid) {
  try {
    return Number(readFileSync(`/proc/${pid}/schedstat`, 'utf8').split(' ')[0]) / 1e9 + threadsBeyondFirst(pid);
  } catch {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' ');
    return (Number(fields[11]) + Number(fields[12])) / TICK;
  }
}

function threadsBeyondFirst(pid) {
  // /proc/PID/schedstat is the first thread's alone.
  let sum = 0;
  for (const tid of readdir(`/proc/${pid}/task`))
    if (tid !== String(pid))
      sum += Number(readFileSync(`/proc/${pid}/task/${tid}/schedstat`, 'utf8').split(' ')[0]) / 1e9;
  return sum;
}

const readdir = (path) => { try { return readdirSync(path); } catch { return []; } };

// kB that this process alone has: written to, and all.
export function privateMemory(pid) {
  const text = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8');
  const kb = (name) => Number(new RegExp(`^${name}: *(\\d+)`, 'm').exec(text)[1]);
  return { dirty: kb('Private_Dirty'), all: kb('Private_Dirty') + kb('Private_Clean'), pss: kb('Pss') };
}

export function run(core, command, args, env = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn('taskset', ['-c', String(core), command, ...args],
      { env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'inherit'] });
    let out = '';
    child.stdout.on('data', (d) => { out += d; });
    child.on('error', reject);
    child.on('exit', (code) => code === 0 ? resolve(out) : reject(new Error(`${command}: ${code}\n${out}`)));
  });
}

export const median = (xs) => {
  const s = [...xs].sort((a, b) => a - b);
  return s.length % 2 ? s[(s.length - 1) / 2] : (s[s.length / 2 - 1] + s[s.length / 2]) / 2;
};
export const spread = (xs) => `${fixed(Math.min(...xs))} to ${fixed(Math.max(...xs))}`;
export const fixed = (x) => x >= 100 ? x.toFixed(0) : x >= 10 ? x.toFixed(1) : x.toFixed(2);
