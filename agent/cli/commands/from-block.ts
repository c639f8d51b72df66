import { type BlockNumber, parseBlockNumber } from '../../../protocol/index.ts'

/** @throws UraidenError `not_a_block_number` */
export function parseFromBlock(text: string | undefined): BlockNumber {
  return parseBlockNumber(text ?? '0')
}
