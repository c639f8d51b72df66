// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {ChannelRecord, ChannelRecords} from "../../../contracts/src/ChannelRecord.sol";
import {RaidenMicroTransferChannels} from "../../../contracts/src/RaidenMicroTransferChannels.sol";
import {ChannelsTest} from "./ChannelsTest.sol";
import {bound, vm} from "./Vm.sol";

/// Any amounts, any signatures, any data bytes.
contract FuzzTest is ChannelsTest {
    uint256 private constant SENDER_KEY = 1;
    address private sender;
    address private constant RECEIVER = address(0xbeef);

    function setUp() public {
        deploy();
        sender = vm.addr(SENDER_KEY);
        token.transfer(sender, 2 ** 80);
    }

    function open(uint256 deposit) private returns (uint32) {
        vm.prank(sender);
        token.transfer(address(channels), deposit, openData(sender, RECEIVER));
        return uint32(block.number);
    }

    function testFuzz_recordKeepsItsFields(uint72 deposit, uint72 withdrawn, uint72 closing, uint32 openBlock) public pure {
        ChannelRecord record = ChannelRecords.opened(deposit, openBlock).withWithdrawn(withdrawn);
        assert(record.exists() && record.isOpen() && !record.isCloseRequested());
        assert(record.deposit() == deposit && record.withdrawn() == withdrawn);
        assert(record.openBlock() == openBlock && record.settleBlock() == 0 && record.closingBalance() == 0);
        ChannelRecord closed = record.closeRequested(closing, openBlock);
        assert(!closed.isOpen() && closed.isCloseRequested());
        assert(closed.deposit() == deposit && closed.withdrawn() == withdrawn);
        assert(closed.closingBalance() == closing && closed.settleBlock() == openBlock && closed.openBlock() == 0);
        ChannelRecord raised = closed.withClosingBalance(deposit).withDeposit(closing);
        assert(raised.closingBalance() == deposit && raised.deposit() == closing);
        assert(raised.withdrawn() == withdrawn && raised.settleBlock() == openBlock);
    }

    function testFuzz_depositsWithinTheLimitOpenAndOthersDoNot(uint256 deposit) public {
        deposit = bound(deposit, 0, 2 ** 80);
        vm.prank(sender);
        if (deposit == 0) vm.expectRevert(RaidenMicroTransferChannels.ZeroAmount.selector);
        else if (deposit > type(uint72).max) vm.expectRevert(RaidenMicroTransferChannels.DepositTooLarge.selector);
        token.transfer(address(channels), deposit, openData(sender, RECEIVER));
        bool opened = deposit != 0 && deposit <= type(uint72).max;
        assert(token.balanceOf(address(channels)) == (opened ? deposit : 0));
    }

    function testFuzz_dataOfAnotherLengthOpensNothing(bytes calldata data) public {
        vm.assume(data.length != 40 && data.length != 44);
        vm.prank(sender);
        vm.expectRevert(RaidenMicroTransferChannels.InvalidData.selector);
        token.transfer(address(channels), 10, data);
    }

    function testFuzz_dataNeverActsForSomebodyElse(address named, address receiver, uint32 openBlock) public {
        vm.assume(named != sender);
        vm.prank(sender);
        vm.expectRevert(RaidenMicroTransferChannels.NotTrusted.selector);
        token.transfer(address(channels), 10, abi.encodePacked(named, receiver));
        vm.prank(sender);
        vm.expectRevert(RaidenMicroTransferChannels.NotTrusted.selector);
        token.transfer(address(channels), 10, abi.encodePacked(named, receiver, openBlock));
        assert(token.balanceOf(address(channels)) == 0);
    }

    function testFuzz_bytesThatNobodySignedMoveNothing(bytes calldata signature, uint192 balance) public {
        uint32 openBlock = open(100);
        vm.roll(block.number + 1);
        vm.prank(RECEIVER);
        vm.expectRevert(RaidenMicroTransferChannels.ChannelNotFound.selector);
        channels.withdraw(openBlock, balance, signature);
        vm.prank(RECEIVER);
        vm.expectRevert(RaidenMicroTransferChannels.ChannelNotFound.selector);
        channels.cooperativeClose(RECEIVER, openBlock, balance, signature, "");
        vm.expectRevert(RaidenMicroTransferChannels.ChannelNotFound.selector);
        channels.challenge(RECEIVER, openBlock, balance, signature);
    }

    function testFuzz_aProofPaysItsBalanceAndTheRestGoesBack(uint256 deposit, uint256 balance, uint256 withdrawn) public {
        deposit = bound(deposit, 1, type(uint72).max);
        balance = bound(balance, 0, deposit);
        withdrawn = bound(withdrawn, 0, balance);
        uint256 before = token.balanceOf(sender);
        uint32 openBlock = open(deposit);
        vm.roll(block.number + 1);
        if (withdrawn > 0) {
            bytes memory early = typedProof(SENDER_KEY, RECEIVER, openBlock, uint192(withdrawn));
            vm.prank(RECEIVER);
            channels.withdraw(openBlock, uint192(withdrawn), early);
        }
        bytes memory proof = typedProof(SENDER_KEY, RECEIVER, openBlock, uint192(balance));
        vm.prank(RECEIVER);
        channels.cooperativeClose(RECEIVER, openBlock, uint192(balance), proof, "");
        assert(token.balanceOf(RECEIVER) == balance);
        assert(token.balanceOf(sender) == before - balance);
        assert(token.balanceOf(address(channels)) == 0);
    }

    function testFuzz_aChangedSignatureIsNotTheSenders(uint256 position, uint8 change) public {
        uint32 openBlock = open(100);
        bytes memory proof = typedProof(SENDER_KEY, RECEIVER, openBlock, 50);
        position = bound(position, 0, 63);
        change = uint8(bound(change, 1, 255));
        proof[position] = bytes1(uint8(proof[position]) ^ change);
        vm.prank(RECEIVER);
        vm.expectRevert(RaidenMicroTransferChannels.ChannelNotFound.selector);
        channels.withdraw(openBlock, 50, proof);
    }

    function testFuzz_aTickProvesItsBalanceAndNoOther(uint256 balance, uint256 other, uint256 seed) public {
        balance = bound(balance, 0, type(uint72).max);
        other = bound(other, 0, type(uint72).max);
        vm.assume(other != balance);
        uint32 openBlock = open(type(uint72).max);
        bytes memory proof = tickProof(SENDER_KEY, RECEIVER, openBlock, uint192(balance), seed);
        assert(channels.extractTypedBalanceProofSignature(RECEIVER, openBlock, uint192(balance), proof) == sender);
        vm.prank(RECEIVER);
        vm.expectRevert(RaidenMicroTransferChannels.ChannelNotFound.selector);
        channels.withdraw(openBlock, uint192(other), proof);
        vm.assume(balance > 0);
        vm.prank(RECEIVER);
        channels.withdraw(openBlock, uint192(balance), proof);
        assert(token.balanceOf(RECEIVER) == balance);
    }

    function testFuzz_aChangedTickIsNotTheSenders(uint256 position, uint8 change, uint256 seed) public {
        uint32 openBlock = open(100);
        bytes memory proof = tickProof(SENDER_KEY, RECEIVER, openBlock, 50, seed);
        position = bound(position, 0, 159);
        proof[position] = bytes1(uint8(proof[position]) ^ uint8(bound(change, 1, 255)));
        vm.prank(RECEIVER);
        vm.expectRevert(RaidenMicroTransferChannels.ChannelNotFound.selector);
        channels.withdraw(openBlock, 50, proof);
    }

    function testFuzz_fiveWordsThatNobodySignedMoveNothing(uint192 balance, bytes32[5] calldata words, uint256 small)
        public
    {
        uint32 openBlock = open(100);
        // Counts and steps that pass the bounds, beside any others.
        uint256 counts = small % 2 == 0 ? uint256(words[1]) : (small % 256) << 16 | (small >> 8) % 256;
        uint256 step = small % 3 == 0 ? uint256(words[2]) : (small >> 16) % 10;
        bytes memory proof = abi.encode(words[0], counts, step, words[3], words[4]);
        vm.prank(RECEIVER);
        vm.expectRevert(RaidenMicroTransferChannels.ChannelNotFound.selector);
        channels.withdraw(openBlock, balance, proof);
    }

    function testFuzz_keysDiffer(address a, address b, uint32 openBlock, address c, address d, uint32 other) public view {
        bytes32 key = channels.getKey(a, b, openBlock);
        assert(key == keccak256(abi.encodePacked(a, b, openBlock)));
        if (a != c || b != d || openBlock != other) assert(key != channels.getKey(c, d, other));
    }

    /// Too little gas for the token must undo the close, not turn what is due into a credit.
    function testFuzz_noGasLimitTurnsAPayoutIntoACredit(uint256 gasLimit) public {
        uint32 openBlock = open(100);
        vm.roll(block.number + 1);
        bytes memory proof = typedProof(SENDER_KEY, RECEIVER, openBlock, 60);
        bytes memory message = abi.encodeCall(channels.cooperativeClose, (RECEIVER, openBlock, 60, proof, ""));
        vm.prank(RECEIVER);
        (bool closed,) = address(channels).call{gas: bound(gasLimit, 5_000, 120_000)}(message);
        assert(channels.credits(RECEIVER) == 0 && channels.credits(sender) == 0);
        assert(token.balanceOf(RECEIVER) == (closed ? 60 : 0));
        assert(token.balanceOf(address(channels)) == (closed ? 0 : 100));
    }
}
