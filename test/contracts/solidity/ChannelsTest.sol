// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {CustomToken} from "../../../contracts/src/CustomToken.sol";
import {RaidenMicroTransferChannels} from "../../../contracts/src/RaidenMicroTransferChannels.sol";
import {vm} from "./Vm.sol";

/// A token, a channels contract on it, and proofs of parties whose keys are small numbers.
abstract contract ChannelsTest {
    uint256 internal constant FOREVER = type(uint256).max;

    CustomToken internal token;
    RaidenMicroTransferChannels internal channels;

    function deploy() internal {
        token = new CustomToken(2 ** 90, "CustomToken", "TKN", 18);
        channels = new RaidenMicroTransferChannels(address(token), 500, new address[](0));
    }

    function openData(address sender, address receiver) internal pure returns (bytes memory) {
        return abi.encodePacked(sender, receiver);
    }

    function typedProof(uint256 key, address receiver, uint32 openBlock, uint192 balance)
        internal
        view
        returns (bytes memory)
    {
        return signTyped(
            key,
            keccak256(
                abi.encode(
                    keccak256("BalanceProof(address receiver,uint32 block_created,uint192 balance)"),
                    receiver,
                    openBlock,
                    balance
                )
            )
        );
    }

    function typedAgreement(uint256 key, address sender, uint32 openBlock, uint192 balance)
        internal
        view
        returns (bytes memory)
    {
        return signTyped(
            key,
            keccak256(
                abi.encode(
                    keccak256("ClosingAgreement(address sender,uint32 block_created,uint192 balance)"),
                    sender,
                    openBlock,
                    balance
                )
            )
        );
    }

    function seedProof(uint256 key, address receiver, uint32 openBlock, uint192 balance)
        internal
        view
        returns (bytes memory)
    {
        return signSeed(key, "address receiver", "Sender balance proof signature", receiver, openBlock, balance);
    }

    function seedAgreement(uint256 key, address sender, uint32 openBlock, uint192 balance)
        internal
        view
        returns (bytes memory)
    {
        return signSeed(key, "address sender", "Receiver closing signature", sender, openBlock, balance);
    }

    /// The same balance by a tick of a commitment that `seed` chooses: how many ticks, which one, and a step.
    function tickProof(uint256 key, address receiver, uint32 openBlock, uint192 balance, uint256 seed)
        internal
        view
        returns (bytes memory)
    {
        uint256 ticks = 1 + seed % 256;
        uint256 tick = (seed >> 8) % (ticks + 1);
        uint256 most = tick == 0 ? type(uint192).max : balance / tick;
        uint256 step = (seed >> 16) % (most + 1);
        bytes32 w = keccak256(abi.encode(seed));
        bytes32 root = w;
        for (uint256 i; i < tick; ++i) {
            root = keccak256(abi.encode(root));
        }
        bytes32 structHash = keccak256(
            abi.encode(
                keccak256(
                    "TickProof(address receiver,uint32 block_created,uint192 base,uint192 step,uint16 ticks,bytes32 root)"
                ),
                receiver,
                openBlock,
                balance - tick * step,
                step,
                ticks,
                root
            )
        );
        (bytes32 r, bytes32 vs) = compact(signTyped(key, structHash));
        return abi.encode(w, (ticks << 16) | tick, step, r, vs);
    }

    /// A balance proof as the batches take it.
    function proofItem(uint256 key, address receiver, uint32 openBlock, uint192 balance)
        internal
        view
        returns (RaidenMicroTransferChannels.BalanceProofItem memory)
    {
        (bytes32 r, bytes32 vs) = compact(typedProof(key, receiver, openBlock, balance));
        return RaidenMicroTransferChannels.BalanceProofItem(openBlock, balance, r, vs);
    }

    function openMessage(uint256 key, address sender, address receiver, uint192 deposit)
        internal
        view
        returns (bytes memory)
    {
        return signTyped(
            key,
            keccak256(
                abi.encode(
                    keccak256(
                        "OpenChannel(address sender,address receiver,uint192 deposit,uint256 nonce,uint256 deadline)"
                    ),
                    sender,
                    receiver,
                    deposit,
                    channels.nonces(sender),
                    FOREVER
                )
            )
        );
    }

    function topUpMessage(uint256 key, address sender, address receiver, uint32 openBlock, uint192 added)
        internal
        view
        returns (bytes memory)
    {
        return signTyped(
            key,
            keccak256(
                abi.encode(
                    keccak256(
                        "TopUp(address sender,address receiver,uint32 block_created,uint192 added_deposit,uint256 nonce,uint256 deadline)"
                    ),
                    sender,
                    receiver,
                    openBlock,
                    added,
                    channels.nonces(sender),
                    FOREVER
                )
            )
        );
    }

    /// An EIP-2612 permit for the channels contract.
    function permitOf(uint256 key, address owner, uint256 amount)
        internal
        view
        returns (RaidenMicroTransferChannels.Permit memory)
    {
        bytes32 structHash = keccak256(
            abi.encode(
                keccak256("Permit(address owner,address spender,uint256 value,uint256 nonce,uint256 deadline)"),
                owner,
                address(channels),
                amount,
                token.nonces(owner),
                FOREVER
            )
        );
        (uint8 v, bytes32 r, bytes32 s) =
            vm.sign(key, keccak256(abi.encodePacked("\x19\x01", token.DOMAIN_SEPARATOR(), structHash)));
        return RaidenMicroTransferChannels.Permit(v, r, s);
    }

    function signSeed(
        uint256 key,
        string memory partyField,
        string memory id,
        address party,
        uint32 openBlock,
        uint192 balance
    ) private view returns (bytes memory) {
        bytes32 schema = keccak256(
            abi.encodePacked(
                "string message_id", partyField, "uint32 block_created", "uint192 balance", "address contract"
            )
        );
        bytes32 values = keccak256(abi.encodePacked(id, party, openBlock, balance, address(channels)));
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(key, keccak256(abi.encodePacked(schema, values)));
        return abi.encodePacked(r, s, v);
    }

    function compact(bytes memory signature) internal pure returns (bytes32 r, bytes32 vs) {
        assembly ("memory-safe") {
            r := mload(add(signature, 0x20))
            let v := byte(0, mload(add(signature, 0x60)))
            vs := or(mload(add(signature, 0x40)), shl(255, sub(v, 27)))
        }
    }

    function signTyped(uint256 key, bytes32 structHash) internal view returns (bytes memory) {
        bytes32 separator = keccak256(
            abi.encode(
                keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"),
                keccak256("RaidenMicroTransferChannels"),
                keccak256("1"),
                block.chainid,
                address(channels)
            )
        );
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(key, keccak256(abi.encodePacked("\x19\x01", separator, structHash)));
        return abi.encodePacked(r, s, v);
    }
}
