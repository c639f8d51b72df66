/** Asks a node. @throws UraidenError `chain_unavailable`, `wrong_chain`, `rpc_error`, `chain_closed` */
export type Request = (method: string, params: readonly unknown[]) => Promise<unknown>
