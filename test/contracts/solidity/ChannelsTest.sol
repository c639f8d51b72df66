// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {CustomToken} from "../../../contracts/src/CustomToken.sol";
import {RaidenMicroTransferChannels} from "../../../contracts/src/RaidenMicroTransferChannels.sol";
import {Vm, vm} from "./Vm.sol";

/// A token, a channels contract on it, and proofs of parties whose keys are small numbers.
abstract contract ChannelsTest {
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
