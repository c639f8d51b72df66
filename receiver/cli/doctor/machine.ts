// Clock, disk, state and port: what the machine itself has to offer.
import { existsSync } from 'node:fs'
import { createServer } from 'node:net'
import type { ChainClient } from '../../../platform/chain/index.ts'
import { lookAtDisk } from '../../../platform/cli/disk.ts'
import { type Finding, failure, findingOf, ok, warning } from '../../../platform/cli/finding.ts'
import { ownerOfState } from '../../../platform/state/state.ts'
import { isUraidenError } from '../../../protocol/index.ts'
import type { Check, Patient } from './check.ts'

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
  look: ({ folder }) => lookAtDisk(folder, 'every payment waits for it: use a better disk'),
}

export const stateCheck: Check = {
  name: 'state',
  look: async ({ config, folder, chain, signer, isRunning }) => {
    if (isRunning) return ok(`${folder}, in use by the running receiver`)
    try {
      const owner = await ownerOfState({ folder, program: 'receiver' })
      const differs = [
        owner.contract !== config.contract && `the contract ${owner.contract}`,
        chain && owner.chainId !== chain.chainId && `chain id ${owner.chainId}`,
        signer && owner.account !== signer.address && `the receiver ${owner.account}`,
      ].filter((each) => typeof each === 'string')
      return differs.length === 0
        ? ok(`${folder}, of this receiver`)
        : failure(`${folder} belongs to ${differs.join(' and ')}. Use another folder with --state.`)
    } catch (error) {
      if (isUraidenError(error) && error.code === 'state_missing') {
        return ok(`${folder}, made when the receiver starts for the first time`)
      }
      return findingOf(error)
    }
  },
}

export const portCheck: Check = { name: 'port', look: lookAtPort }

async function lookAtPort({ config, isRunning }: Patient): Promise<Finding> {
  const { host, port } = config.listen
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
