// A channel in the path of a request: /<sender>/<open block>.
import type { FastifyReply } from 'fastify'
import {
  type Address,
  type ContractBlock,
  fromOriginal,
  parseAddress,
  parseBlockNumber,
} from '../../../protocol/index.ts'
import { sendProblem } from '../../http/problem.ts'

export interface ChannelPath {
  readonly sender: string
  readonly openBlock: string
}

/** @throws UraidenError `not_an_address`, `not_a_block_number` */
export function parsePath({ sender, openBlock }: ChannelPath): {
  readonly sender: Address
  readonly openBlock: ContractBlock
} {
  return { sender: fromOriginal(parseAddress)(sender), openBlock: parseBlockNumber(openBlock) }
}

/** As people write it: `<sender>/<open block>`. Throws the same. */
export function parseChannel(text: string): ReturnType<typeof parsePath> {
  const [sender = '', openBlock = ''] = text.split('/', 2)
  return parsePath({ sender, openBlock })
}

export function channelUnknown(reply: FastifyReply): FastifyReply {
  return sendProblem(reply, {
    status: 404,
    code: 'channel_unknown',
    title: 'There is no such channel',
    detail: 'Check sender and open block.',
  })
}
