// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {ECDSA} from "solady/src/utils/ECDSA.sol";
import {EIP712} from "solady/src/utils/EIP712.sol";
import {EfficientHashLib} from "solady/src/utils/EfficientHashLib.sol";

/// @title What senders and receivers sign
/// @notice Hashes and recovers balance proofs and closing agreements in both forms: EIP-712 with a
/// domain that binds chain and contract, and the hash of the EIP-712 draft of 2017 that programs of
/// version 0.2 sign. A signature is r ‖ s ‖ v (65 bytes, v 0, 1, 27 or 28) or r ‖ vs of EIP-2098
/// (64 bytes), with s in the lower half of the group's order.
///
/// A balance may also be proven by ticks (PayWord of Rivest and Shamir): the sender signs the end of a chain of
/// hashes once, and each hash before it that it shows is worth a step more. The proof of tick i is 160 bytes,
/// w ‖ ticks · 2^16 + i ‖ step ‖ r ‖ vs: w hashed i times is the root of a `TickProof` that the sender signed.
abstract contract ChannelSignatures is EIP712 {
    /// @notice The bytes are no signature: wrong length, high s, impossible v, or made by no key.
    error InvalidSignature();

    bytes32 private constant BALANCE_PROOF_TYPE =
        keccak256("BalanceProof(address receiver,uint32 block_created,uint192 balance)");
    bytes32 private constant TICK_PROOF_TYPE = keccak256(
        "TickProof(address receiver,uint32 block_created,uint192 base,uint192 step,uint16 ticks,bytes32 root)"
    );
    bytes32 private constant CLOSING_AGREEMENT_TYPE =
        keccak256("ClosingAgreement(address sender,uint32 block_created,uint192 balance)");
    bytes32 private constant OPEN_CHANNEL_TYPE = keccak256(
        "OpenChannel(address sender,address receiver,uint192 deposit,uint256 nonce,uint256 deadline)"
    );
    bytes32 private constant TOP_UP_TYPE = keccak256(
        "TopUp(address sender,address receiver,uint32 block_created,uint192 added_deposit,uint256 nonce,uint256 deadline)"
    );

    bytes32 private constant SEED_BALANCE_PROOF_SCHEMA = keccak256(
        abi.encodePacked(
            "string message_id", "address receiver", "uint32 block_created", "uint192 balance", "address contract"
        )
    );
    bytes32 private constant SEED_CLOSING_SCHEMA = keccak256(
        abi.encodePacked(
            "string message_id", "address sender", "uint32 block_created", "uint192 balance", "address contract"
        )
    );

    /// @notice The address that signed a balance proof in the form of version 0.2.
    /// @param _receiver_address The address that receives tokens.
    /// @param _open_block_number The block in which the channel was opened.
    /// @param _balance What the sender owes the receiver, in the token's smallest unit.
    /// @param _balance_msg_sig The sender's signature.
    /// @return The signer: the sender, if the other arguments are those that it signed.
    function extractBalanceProofSignature(
        address _receiver_address,
        uint32 _open_block_number,
        uint192 _balance,
        bytes calldata _balance_msg_sig
    ) external view returns (address) {
        return
            _requireSigner(_seedBalanceProof(_receiver_address, _open_block_number, _balance), _balance_msg_sig);
    }

    /// @notice The address that signed a closing agreement in the form of version 0.2.
    /// @param _sender_address The address that sends tokens.
    /// @param _open_block_number The block in which the channel was opened.
    /// @param _balance What the receiver is content with, in the token's smallest unit.
    /// @param _closing_sig The receiver's signature.
    /// @return The signer: the receiver, if the other arguments are those that it signed.
    function extractClosingSignature(
        address _sender_address,
        uint32 _open_block_number,
        uint192 _balance,
        bytes calldata _closing_sig
    ) external view returns (address) {
        return _requireSigner(_seedClosing(_sender_address, _open_block_number, _balance), _closing_sig);
    }

    /// @notice The address that signed an EIP-712 `BalanceProof`, or the `TickProof` of a tick.
    /// @param _receiver_address The address that receives tokens.
    /// @param _open_block_number The block in which the channel was opened.
    /// @param _balance What the sender owes the receiver, in the token's smallest unit.
    /// @param _balance_msg_sig The sender's signature, or a tick with it.
    /// @return The signer: the sender, if the other arguments are those that it signed.
    function extractTypedBalanceProofSignature(
        address _receiver_address,
        uint32 _open_block_number,
        uint192 _balance,
        bytes calldata _balance_msg_sig
    ) external view returns (address) {
        (bytes32 r, bytes32 vs) = _compact(_balance_msg_sig);
        if (r == 0) return _requireKey(_recoverTick(_receiver_address, _open_block_number, _balance, uint256(vs)));
        return _requireKey(_recover(_typedBalanceProof(_receiver_address, _open_block_number, _balance), r, vs));
    }

    /// @notice The address that signed an EIP-712 `ClosingAgreement`.
    /// @param _sender_address The address that sends tokens.
    /// @param _open_block_number The block in which the channel was opened.
    /// @param _balance What the receiver is content with, in the token's smallest unit.
    /// @param _closing_sig The receiver's signature.
    /// @return The signer: the receiver, if the other arguments are those that it signed.
    function extractTypedClosingSignature(
        address _sender_address,
        uint32 _open_block_number,
        uint192 _balance,
        bytes calldata _closing_sig
    ) external view returns (address) {
        return _requireSigner(_typedClosing(_sender_address, _open_block_number, _balance), _closing_sig);
    }

    function _typedBalanceProof(address receiver, uint32 openBlock, uint192 balance)
        internal
        view
        returns (bytes32)
    {
        return _hashTypedData(_hashFour(BALANCE_PROOF_TYPE, receiver, openBlock, balance));
    }

    function _seedBalanceProof(address receiver, uint32 openBlock, uint192 balance)
        internal
        view
        returns (bytes32)
    {
        bytes32 values =
            keccak256(abi.encodePacked("Sender balance proof signature", receiver, openBlock, balance, address(this)));
        return EfficientHashLib.hash(SEED_BALANCE_PROOF_SCHEMA, values);
    }

    function _openChannelHash(address sender, address receiver, uint192 deposit, uint256 nonce, uint256 deadline)
        internal
        view
        returns (bytes32)
    {
        return
            _hashTypedData(keccak256(abi.encode(OPEN_CHANNEL_TYPE, sender, receiver, deposit, nonce, deadline)));
    }

    function _topUpHash(
        address sender,
        address receiver,
        uint32 openBlock,
        uint192 added,
        uint256 nonce,
        uint256 deadline
    ) internal view returns (bytes32) {
        return _hashTypedData(
            keccak256(abi.encode(TOP_UP_TYPE, sender, receiver, openBlock, added, nonce, deadline))
        );
    }

    /// @dev True when `receiver` signed this agreement, in either form.
    function _isClosingAgreement(
        address receiver,
        address sender,
        uint32 openBlock,
        uint192 balance,
        bytes calldata signature
    ) internal view returns (bool) {
        (bytes32 r, bytes32 vs) = _compact(signature);
        return _recover(_typedClosing(sender, openBlock, balance), r, vs) == receiver
            || _recover(_seedClosing(sender, openBlock, balance), r, vs) == receiver;
    }

    /// @dev A signature of 65 or 64 bytes as r and vs (EIP-2098). Of 160 bytes, a tick, r is zero, which no
    /// signature has, and vs says where in the call's data it lies. Other bytes give an s of zero, which nobody can
    /// have signed.
    function _compact(bytes calldata signature) internal pure returns (bytes32 r, bytes32 vs) {
        // Slices would check their bounds once more; the length decides which bytes are there.
        if (signature.length == 65) {
            assembly ("memory-safe") {
                let s := calldataload(add(signature.offset, 0x20))
                let v := byte(0, calldataload(add(signature.offset, 0x40)))
                if iszero(lt(v, 27)) { v := sub(v, 27) }
                r := calldataload(signature.offset)
                // An s that uses the highest bit is a high one, and v has a single bit there.
                vs := mul(or(s, shl(255, v)), iszero(or(shr(255, s), gt(v, 1))))
            }
        } else if (signature.length == 64) {
            assembly ("memory-safe") {
                r := calldataload(signature.offset)
                vs := calldataload(add(signature.offset, 0x20))
            }
        } else if (signature.length == 160) {
            assembly ("memory-safe") {
                vs := signature.offset
            }
        } else {
            r = bytes32(uint256(1));
        }
    }

    /// @dev The signer of the `TickProof` by which the five words at `offset` of the call's data prove `balance`. Zero,
    /// and never the signer of some digest, when they cannot: anybody could sign a digest of zero for any key. Where
    /// the words lie does not matter; the signature decides.
    function _recoverTick(address receiver, uint32 openBlock, uint192 balance, uint256 offset)
        internal
        view
        returns (address)
    {
        bytes32 root;
        uint256 ticks;
        uint256 tick;
        uint256 step;
        bytes32 r;
        bytes32 vs;
        assembly ("memory-safe") {
            ticks := calldataload(add(offset, 0x20))
            tick := and(ticks, 0xffff)
            ticks := shr(16, ticks)
            step := calldataload(add(offset, 0x40))
            r := calldataload(add(offset, 0x60))
            vs := calldataload(add(offset, 0x80))
        }
        if (tick > ticks || ticks > type(uint16).max || step > type(uint192).max) return address(0);
        uint256 base;
        unchecked {
            uint256 paid = tick * step; // 16 and 192 bits
            if (paid > balance) return address(0);
            base = balance - paid;
        }
        assembly ("memory-safe") {
            mstore(0x00, calldataload(offset))
            for { let n := shr(3, tick) } n { n := sub(n, 1) } {
                mstore(0x00, keccak256(0x00, 0x20))
                mstore(0x00, keccak256(0x00, 0x20))
                mstore(0x00, keccak256(0x00, 0x20))
                mstore(0x00, keccak256(0x00, 0x20))
                mstore(0x00, keccak256(0x00, 0x20))
                mstore(0x00, keccak256(0x00, 0x20))
                mstore(0x00, keccak256(0x00, 0x20))
                mstore(0x00, keccak256(0x00, 0x20))
            }
            for { let n := and(tick, 7) } n { n := sub(n, 1) } { mstore(0x00, keccak256(0x00, 0x20)) }
            root := mload(0x00)
        }
        bytes32 structHash = EfficientHashLib.hash(
            uint256(TICK_PROOF_TYPE), uint160(receiver), openBlock, base, step, ticks, uint256(root)
        );
        return _recover(_hashTypedData(structHash), r, vs);
    }

    /// @dev The signer, or zero when nobody can have signed this. Of the two signatures that anybody
    /// can make from one, only that with the low s counts (EIP-2).
    function _recover(bytes32 digest, bytes32 r, bytes32 vs) internal view returns (address) {
        if (uint256(vs << 1) >> 1 > ECDSA.N / 2) return address(0);
        return ECDSA.tryRecover(digest, r, vs);
    }

    function _requireSigner(bytes32 digest, bytes calldata signature) private view returns (address) {
        (bytes32 r, bytes32 vs) = _compact(signature);
        return _requireKey(_recover(digest, r, vs));
    }

    function _requireKey(address signer) private pure returns (address) {
        if (signer == address(0)) revert InvalidSignature();
        return signer;
    }

    function _domainNameAndVersion() internal pure override returns (string memory, string memory) {
        return ("RaidenMicroTransferChannels", "1");
    }

    function _typedClosing(address sender, uint32 openBlock, uint192 balance) private view returns (bytes32) {
        return _hashTypedData(_hashFour(CLOSING_AGREEMENT_TYPE, sender, openBlock, balance));
    }

    function _hashFour(bytes32 typeHash, address party, uint32 openBlock, uint192 balance)
        private
        pure
        returns (bytes32)
    {
        return EfficientHashLib.hash(uint256(typeHash), uint160(party), openBlock, balance);
    }

    function _seedClosing(address sender, uint32 openBlock, uint192 balance) private view returns (bytes32) {
        bytes32 values =
            keccak256(abi.encodePacked("Receiver closing signature", sender, openBlock, balance, address(this)));
        return EfficientHashLib.hash(SEED_CLOSING_SCHEMA, values);
    }
}
