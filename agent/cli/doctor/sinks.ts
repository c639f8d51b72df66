// What doctor finds about the places where bought data goes. Nothing is delivered there.
import { access, constants, rm, writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { dirname, join, resolve } from 'node:path'
import { connect as connectTls } from 'node:tls'
import { type Finding, failure, ok } from '../../../platform/cli/doctor.ts'
import { readPrivateFile } from '../../../platform/keys/private-file.ts'
import { originsOnly, printedUrl } from '../../../platform/text/printed.ts'
import type { Milliseconds } from '../../../platform/time/clock.ts'
import type { BrokerSettings } from '../../jobs/sinks/mqtt.ts'
import type { SinkConfig } from '../../jobs/sinks/schema.ts'

/** For one place. */
const patience: Milliseconds = 5000

/** Undefined for a sink of which nothing can be said before it gets something. */
export async function lookAtSink(sink: SinkConfig): Promise<Finding | undefined> {
  const { file, csv, influx, webhook, command } = sink
  const path = file ?? csv?.path
  if (path !== undefined) return lookAtFolder(resolve(path))
  if (influx !== undefined) return lookAtUrl('InfluxDB', influx.url)
  if (webhook !== undefined) return lookAtWebhook(webhook)
  return command === undefined ? undefined : lookAtProgram(command[0])
}

async function lookAtFolder(file: string): Promise<Finding> {
  const folder = dirname(file)
  const trial = join(folder, `.doctor-${process.pid}`)
  try {
    await writeFile(trial, '', { flag: 'wx' })
    await rm(trial, { force: true })
    return ok(`${file} can be written`)
  } catch (error) {
    const { code } = error as { readonly code?: string }
    return failure(
      `${file} cannot be written (${code}). Make the folder ${folder}, and give it to the agent's user; a service also needs it in ReadWritePaths=.`,
    )
  }
}

async function lookAtProgram(program: string): Promise<Finding | undefined> {
  // A bare name is looked for in the path of the service, which is not ours.
  if (!program.includes('/')) return undefined
  const isThere = await access(program, constants.X_OK).then(
    () => true,
    () => false,
  )
  return isThere
    ? ok(`${program} can be run`)
    : failure(`${program} cannot be run. Check its path, and chmod +x.`)
}

async function lookAtWebhook({
  url,
  urlFile = '',
}: NonNullable<SinkConfig['webhook']>): Promise<Finding> {
  const target = url ?? (await readPrivateFile(urlFile)).split(/\r?\n/, 1)[0] ?? ''
  if (!URL.canParse(target)) return failure(`The first line of ${urlFile} is no URL. Write one.`)
  return lookAtUrl('webhook', target)
}

async function lookAtUrl(kind: string, target: string): Promise<Finding> {
  const shown = `${kind} ${printedUrl(target)}`
  try {
    await reach(new URL(target))
    return ok(`${shown} is there`)
  } catch (error) {
    return failure(
      `${shown} cannot be reached (${reason(error)}). Check its address, and that it runs.`,
    )
  }
}

/** Connects and says nothing: a request would be a delivery. A certificate is checked. */
function reach({ protocol, hostname, port }: URL): Promise<void> {
  const isTls = protocol === 'https:'
  const host = hostname.replace(/^\[|\]$/g, '')
  const place = { host, port: Number(port) || (isTls ? 443 : 80) }
  return new Promise((done, reject) => {
    const socket = isTls ? connectTls({ ...place, servername: host }) : connect(place)
    socket.setTimeout(patience, () => socket.destroy(new Error('no answer')))
    socket.once(isTls ? 'secureConnect' : 'connect', () => {
      socket.destroy()
      done()
    })
    socket.once('error', reject)
  })
}

/** Logs in under a name of its own: under the daemon's it would be thrown out. */
export async function lookAtBroker({ connection }: BrokerSettings): Promise<Finding> {
  const { url, clientId, username, password, tls } = connection
  const shown = printedUrl(url)
  const { connectAsync } = await import('mqtt')
  try {
    const client = await connectAsync(
      url,
      {
        ...tls,
        ...(username !== undefined && { username }),
        ...(password !== undefined && { password }),
        ...{ clientId: `${clientId}-doctor`, connectTimeout: patience, reconnectPeriod: 0 },
      },
      false,
    )
    await client.endAsync()
    return ok(`${shown} lets us in`)
  } catch (error) {
    return failure(
      `${shown} does not let us in (${reason(error)}). Check mqtt.url, username and password, and that it runs.`,
    )
  }
}

function reason(error: unknown): string {
  const { code, message } = error as { readonly code?: unknown; readonly message?: string }
  return originsOnly(message || `${code}`)
}
