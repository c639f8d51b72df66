// What a doctor looks at besides the resources: account, certificate, and the machine itself.
import { existsSync } from 'node:fs'
import { createServer } from 'node:net'
import { type ChainClient, dataFeeOf, readQuantity } from '../../../platform/chain/index.ts'
import {
  type Finding,
  failure,
  findingOf,
  lookAtDisk,
  ok,
  warning,
} from '../../../platform/cli/doctor.ts'
import { examineState } from '../../../platform/state/state.ts'
import { etherUnit, formatAmount, isUraidenError, type Signer } from '../../../protocol/index.ts'
import { ownerOfDatabase } from '../../cluster/stopped.ts'
import { leastEther } from '../../paywall/outage.ts'
import { placeText } from '../../postgres/settings.ts'
import type { ReceiverSettings } from '../../program/settings.ts'
import { answerBytes } from '../../settlement/reserve.ts'
import type { TlsFiles } from '../../tls/config.ts'
import { certificateWarning, readTlsMaterial } from '../../tls/material.ts'

/** What was found so far; what could not be found has had its own line. */
export interface Known {
  readonly settings: ReceiverSettings
  readonly chain: ChainClient | undefined
  readonly signer: Signer | undefined
  /** A receiver of this state runs on this machine. */
  readonly isRunning: boolean
}

/** One thing that must be right before a receiver can sell. */
export interface Check {
  readonly name: string
  readonly look: (known: Known) => Promise<Finding>
}

/** For one answer to a dishonest close (docs/reference/gas.md), with room for a busy chain. */
const gasOfAnswer = 200_000n

export function keyCheck({ address }: Signer): Check {
  return {
    name: 'key',
    look: async ({ settings }) =>
      ok(`${address}, ${settings.key.file} is readable by its owner only`),
  }
}

export function etherCheck(chain: ChainClient, { address }: Signer): Check {
  return { name: 'ether', look: () => lookAtEther(chain, address) }
}

async function lookAtEther(chain: ChainClient, address: Signer['address']): Promise<Finding> {
  const balance = await chain.etherBalance(address)
  const gasPrice = readQuantity(await chain.request('eth_gasPrice', []))
  const answer = gasPrice * gasOfAnswer + (await dataFeeOf(chain)(answerBytes))
  const says = inEther(balance)
  if (balance < leastEther) {
    return failure(
      `${says}: nothing is sold, because no channel could be defended. ${send(address)}`,
    )
  }
  if (balance < answer) {
    return warning(
      `${says}; one answer to a dishonest close may cost ${inEther(answer)}. ${send(address)}`,
    )
  }
  return ok(
    `${says}, enough for ${answer === 0n ? 'many' : balance / answer} transactions at the price of now`,
  )
}

const send = (address: string) => `Send some to ${address}.`

function inEther(wei: bigint): string {
  return formatAmount(wei, etherUnit)
}

export function certificateCheck(files: TlsFiles): Check {
  return { name: 'tls', look: () => lookAtCertificate(files, new Date()) }
}

async function lookAtCertificate(files: TlsFiles, now: Date): Promise<Finding> {
  const { certificate } = await readTlsMaterial(files)
  const wrong = certificateWarning(certificate, now)
  const { subject, validFrom, validTo } = certificate
  const says = `${files.cert} for ${subject.replaceAll('\n', ', ')}`
  if (wrong === undefined) return ok(`${says}, good until ${validTo.toISOString().slice(0, 10)}`)
  const isUsable = validFrom <= now && now <= validTo
  const remedy = `${says}: ${wrong}. Put a new one there; it is taken while the receiver runs.`
  return isUsable ? warning(remedy) : failure(remedy)
}

/** systemd-timesyncd(8): made when the clock has been synchronised since the machine started. */
const synchronisedMarker = '/run/systemd/timesync/synchronized'
/** Seconds by which a clock may differ from the chain's. */
const mostDrift = 300

export function clockCheck(chain: ChainClient | undefined): Check {
  return {
    name: 'clock',
    look: async () => {
      if (existsSync(synchronisedMarker)) return ok('synchronised')
      const now = new Date()
      const head = await chain?.head()
      const drift = head && Math.round(now.getTime() / 1000 - head.timestamp)
      if (drift !== undefined && Math.abs(drift) <= mostDrift) return ok('agrees with the chain')
      return warning(
        `${now.toISOString()}, not known to be right: certificates, relay deadlines and schedules go by it. Run: timedatectl set-ntp true`,
      )
    },
  }
}

export const diskCheck: Check = {
  name: 'disk',
  look: ({ settings }) =>
    lookAtDisk(settings.state, 'every payment waits for it: use a better disk'),
}

export const stateCheck: Check = {
  name: 'state',
  look: async ({ settings, chain, signer, isRunning }) => {
    const { state: folder, connection, shared } = settings
    const place = shared === undefined ? folder : placeText(shared)
    if (isRunning) return ok(`${place}, in use by the running receiver`)
    try {
      const owner = await (shared === undefined
        ? examineState({ folder, program: 'receiver' })
        : ownerOfDatabase(shared))
      const differs = [
        owner.contract !== connection.contract && `the contract ${owner.contract}`,
        chain && owner.chainId !== chain.chainId && `chain id ${owner.chainId}`,
        signer && owner.account !== signer.address && `the receiver ${owner.account}`,
      ].filter((each) => typeof each === 'string')
      return differs.length === 0
        ? ok(`${place}, of this receiver`)
        : failure(`${place} belongs to ${differs.join(' and ')}. Use another one with --state.`)
    } catch (error) {
      if (isUraidenError(error) && error.code === 'state_missing') {
        return ok(`${place}, made when the receiver starts for the first time`)
      }
      return findingOf(error)
    }
  },
}

export const portCheck: Check = { name: 'port', look: lookAtPort }

async function lookAtPort({ settings, isRunning }: Known): Promise<Finding> {
  const { host, port } = settings.listen
  const says = `${host}:${port}`
  const code = await whyNotBound(host, port)
  if (code === undefined) return ok(`${says} is free`)
  if (code === 'EADDRINUSE' && isRunning) return ok(`${says}, in use by the running receiver`)
  if (code === 'EADDRINUSE') {
    return failure(`${says} is used by another program: stop it, or set listen to another port.`)
  }
  if (code === 'EACCES') {
    return failure(
      `${says} needs a right of its own: choose a port from 1024, or give CAP_NET_BIND_SERVICE.`,
    )
  }
  return failure(
    `${says} cannot be listened on (${code}): set listen to an address of this machine.`,
  )
}

function whyNotBound(host: string, port: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', ({ code = 'unknown' }: NodeJS.ErrnoException) => resolve(code))
    server.listen({ host, port, exclusive: true }, () => server.close(() => resolve(undefined)))
  })
}
