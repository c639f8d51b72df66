// wrk, the load generator: the others saturate before the receiver does (docs/design/performance.md).
import { type ChildProcess, execFile } from 'node:child_process'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)

export interface Load {
  readonly requestsPerSecond: number
  readonly requests: number
  readonly seconds: number
  /** Milliseconds. */
  readonly p50: number
  readonly p99: number
  /** Answers with a status of 400 or more. */
  readonly refused: number
  /** Connections that failed or took too long. */
  readonly failed: number
}

export async function hasWrk(): Promise<boolean> {
  try {
    await run('wrk', ['-v'])
    return true
  } catch (error) {
    // wrk -v prints its version and ends with 1.
    return (error as { readonly code?: unknown }).code !== 'ENOENT'
  }
}

/** Prints its summary as one line of JSON; takes the requests, in order, from a file per thread. */
const script = `
local threads = 0
function setup(thread)
  thread:set("number", threads)
  threads = threads + 1
end

function init(args)
  lines = {}
  position = 0
  if args[1] then
    for line in io.lines(args[1] .. "." .. number) do
      lines[#lines + 1] = "GET " .. wrk.path .. " HTTP/1.1\\r\\nHost: bench\\r\\n"
        .. line:gsub("|", "\\r\\n") .. "\\r\\n\\r\\n"
    end
  end
  plain = wrk.format()
end

function request()
  if #lines == 0 then return plain end
  -- wrk calls this once in its first thread to look at the request, and does not send it.
  if number == 0 and not looked then
    looked = true
    return lines[1]
  end
  position = position + 1
  if position > #lines then
    if position == #lines + 1 then
      io.write("ALL SENT\\n")
      io.flush()
    end
    wrk.thread:stop()
    return lines[#lines]
  end
  return lines[position]
end

function done(summary, latency)
  print(string.format(
    'RESULT {"requests":%d,"seconds":%f,"p50":%f,"p99":%f,"refused":%d,"failed":%d}',
    summary.requests, summary.duration / 1e6, latency:percentile(50) / 1e3,
    latency:percentile(99) / 1e3, summary.errors.status,
    summary.errors.connect + summary.errors.read + summary.errors.write + summary.errors.timeout))
end
`

export interface LoadOptions {
  readonly url: string
  readonly seconds: number
  readonly connections: number
  /** Files `<prefix>.0` and `<prefix>.1` with the headers of one request a line, `|` between. */
  readonly requests?: string
  readonly folder: string
}

export const threads = 2

/** For the last answers, in milliseconds. */
const grace = 1000

/** Told to stop wrk says what it has measured; else it would wait for the end of its time. */
function endWhenAllSent(wrk: ChildProcess): void {
  let done = 0
  wrk.stdout?.on('data', (text: string) => {
    done += text.split('ALL SENT').length - 1
    if (done === threads) setTimeout(() => wrk.kill('SIGINT'), grace)
  })
}

export async function runWrk(options: LoadOptions): Promise<Load> {
  const { url, seconds, connections, requests, folder } = options
  const file = join(folder, 'load.lua')
  await writeFile(file, script)
  const running = run('wrk', [
    // On a busy machine an answer may take longer than the two seconds that wrk calls a failure.
    ...['-t', `${threads}`, '-c', `${connections}`, '-d', `${seconds}s`, '--timeout', '30s'],
    ...['-s', file, url],
    ...(requests === undefined ? [] : ['--', requests]),
  ])
  endWhenAllSent(running.child)
  const { stdout } = await running
  const line = /^RESULT (.*)$/m.exec(stdout)?.[1]
  if (line === undefined) throw new Error(`wrk said:\n${stdout}`)
  const result: Omit<Load, 'requestsPerSecond'> = JSON.parse(line)
  return { ...result, requestsPerSecond: result.requests / result.seconds }
}
