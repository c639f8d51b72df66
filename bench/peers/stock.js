// Stock clients and servers of x402 as their READMEs have them, for tests and benchmarks of ours.
import { x402Client } from '@x402/core/client'
import { x402ResourceServer } from '@x402/core/server'
import { ExactEvmScheme } from '@x402/evm/exact/client'
import { paymentMiddleware } from '@x402/express'
import { wrapFetchWithPayment } from '@x402/fetch'
import express from 'express'
import { privateKeyToAccount } from 'viem/accounts'

export { express, paymentMiddleware, wrapFetchWithPayment, x402Client, x402ResourceServer }

/** A client of `exact` with this key; its caps do not know tokens of tests. */
export function exactClient(key, network = 'eip155:31337') {
  return x402Client.fromConfig({
    schemes: [{ network, client: new ExactEvmScheme(privateKeyToAccount(key)) }],
    spendControls: false,
  })
}
