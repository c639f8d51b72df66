// How the receiver is: facts for readiness and metrics, as of now.
import { statfs } from 'node:fs/promises'
import type { ChainBlock } from '../../protocol/index.ts'

export interface ChainStatus {
  /** The last look at the chain went well. */
  readonly answers: boolean
  /** Milliseconds since the last look that went well; Infinity before the first. */
  readonly age: number
  /** The newest block that the node told of. */
  readonly head: ChainBlock | undefined
  /** Of the receiver's account, in wei. */
  readonly ether: bigint | undefined
}

export type DiskStatus =
  | { readonly kind: 'writable'; readonly freeBytes: number }
  /** A write like that of a payment failed. */
  | { readonly kind: 'unwritable'; readonly why: string }

export interface ReceiverHealth {
  readonly chain: () => ChainStatus
  /** Tries a synced write; what it found counts for 10 seconds, for whoever asks. */
  readonly disk: () => Promise<DiskStatus>
}

/** Milliseconds: everybody may ask whether the disk is well, and an SD card must not wear out by it. */
const probeLifetime = 10_000

export interface DiskProbeOptions {
  /** Rejects when the disk takes no write. */
  readonly write: () => Promise<void>
  readonly folder: string
  /** A clock in milliseconds. */
  readonly now?: () => number
}

export function createDiskProbe(options: DiskProbeOptions): () => Promise<DiskStatus> {
  const { now = () => performance.now() } = options
  let begun = Number.NEGATIVE_INFINITY
  let found: Promise<DiskStatus> | undefined
  return () => {
    if (found === undefined || now() - begun >= probeLifetime) {
      begun = now()
      found = look(options)
    }
    return found
  }
}

async function look({ write, folder }: DiskProbeOptions): Promise<DiskStatus> {
  try {
    await write()
    const { bavail, bsize } = await statfs(folder)
    return { kind: 'writable', freeBytes: bavail * bsize }
  } catch (error) {
    return { kind: 'unwritable', why: error instanceof Error ? error.message : String(error) }
  }
}
