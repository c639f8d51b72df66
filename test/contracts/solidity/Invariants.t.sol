// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {CustomToken} from "../../../contracts/src/CustomToken.sol";
import {RaidenMicroTransferChannels} from "../../../contracts/src/RaidenMicroTransferChannels.sol";
import {ChannelsTest} from "./ChannelsTest.sol";
import {bound, vm} from "./Vm.sol";

/// Does with the contract whatever three senders, two receivers and strangers may do, and keeps books
/// of its own.
contract Handler is ChannelsTest {
    struct Channel {
        uint256 senderKey;
        uint256 receiverKey;
        uint32 openBlock;
        uint256 deposit;
        uint256 withdrawn;
        uint256 signed;
        uint256 closing;
        uint256 settleBlock;
        bool over;
    }

    Channel[] public list;
    mapping(address receiver => uint256) public signedTo;
    mapping(address sender => uint256) public deposited;
    uint256 public calls;

    constructor(CustomToken token_, RaidenMicroTransferChannels channels_) {
        token = token_;
        channels = channels_;
    }

    function count() external view returns (uint256) {
        return list.length;
    }

    function senderOf(uint256 i) public view returns (address) {
        return vm.addr(list[i].senderKey);
    }

    function receiverOf(uint256 i) public view returns (address) {
        return vm.addr(list[i].receiverKey);
    }

    function open(uint256 senderSeed, uint256 receiverSeed, uint256 amount, bool erc20) external {
        calls++;
        vm.roll(block.number + 1);
        uint256 senderKey = bound(senderSeed, 1, 3);
        uint256 receiverKey = bound(receiverSeed, 11, 12);
        address sender = vm.addr(senderKey);
        amount = bound(amount, 1, 1e18);
        if (erc20) {
            vm.prank(sender);
            token.approve(address(channels), amount);
            vm.prank(sender);
            channels.createChannel(vm.addr(receiverKey), uint192(amount));
        } else {
            vm.prank(sender);
            token.transfer(address(channels), amount, openData(sender, vm.addr(receiverKey)));
        }
        list.push(Channel(senderKey, receiverKey, uint32(block.number), amount, 0, 0, 0, 0, false));
        deposited[sender] += amount;
    }

    function topUp(uint256 seed, uint256 amount) external {
        calls++;
        (bool some, uint256 i) = pick(seed);
        if (!some || list[i].settleBlock != 0) return;
        amount = bound(amount, 1, 1e18);
        vm.prank(senderOf(i));
        token.transfer(
            address(channels), amount, abi.encodePacked(senderOf(i), receiverOf(i), list[i].openBlock)
        );
        list[i].deposit += amount;
        deposited[senderOf(i)] += amount;
    }

    function withdraw(uint256 seed, uint256 amount) external {
        calls++;
        (bool some, uint256 i) = pick(seed);
        if (!some || list[i].settleBlock != 0 || list[i].withdrawn == list[i].deposit) return;
        uint256 balance = bound(amount, list[i].withdrawn + 1, list[i].deposit);
        bytes memory proof = sign(i, balance);
        vm.prank(receiverOf(i));
        channels.withdraw(list[i].openBlock, uint192(balance), proof);
        list[i].withdrawn = balance;
    }

    function requestClose(uint256 seed, uint256 amount) external {
        calls++;
        (bool some, uint256 i) = pick(seed);
        if (!some || list[i].settleBlock != 0) return;
        vm.roll(block.number + 1);
        uint256 balance = bound(amount, list[i].withdrawn, list[i].deposit);
        vm.prank(senderOf(i));
        channels.uncooperativeClose(receiverOf(i), list[i].openBlock, uint192(balance));
        note(i, balance);
        list[i].closing = balance;
        list[i].settleBlock = block.number + 500;
    }

    function challenge(uint256 seed, uint256 amount) external {
        calls++;
        (bool some, uint256 i) = pick(seed);
        if (!some || list[i].settleBlock < block.number || list[i].closing == list[i].deposit) return;
        uint256 balance = bound(amount, list[i].closing + 1, list[i].deposit);
        bytes memory proof = sign(i, balance);
        channels.challenge(receiverOf(i), list[i].openBlock, uint192(balance), proof);
        list[i].closing = balance;
    }

    function close(uint256 seed, uint256 amount, bool bySender) external {
        calls++;
        (bool some, uint256 i) = pick(seed);
        if (!some) return;
        vm.roll(block.number + 1);
        uint256 balance = bound(amount, list[i].withdrawn, list[i].deposit);
        bytes memory proof = sign(i, balance);
        bytes memory agreement = bySender
            ? typedAgreement(list[i].receiverKey, senderOf(i), list[i].openBlock, uint192(balance))
            : bytes("");
        vm.prank(bySender ? senderOf(i) : receiverOf(i));
        channels.cooperativeClose(receiverOf(i), list[i].openBlock, uint192(balance), proof, agreement);
        list[i].over = true;
    }

    function settle(uint256 seed) external {
        calls++;
        (bool some, uint256 i) = pick(seed);
        if (!some || list[i].settleBlock == 0) return;
        if (block.number <= list[i].settleBlock) vm.roll(list[i].settleBlock + 1);
        channels.settleFor(senderOf(i), receiverOf(i), list[i].openBlock);
        list[i].over = true;
    }

    /// Whatever is not allowed must stay without effect.
    function intrude(uint256 seed, uint256 amount, uint8 how) external {
        calls++;
        (bool some, uint256 i) = pick(seed);
        if (!some) return;
        uint192 over = uint192(list[i].deposit + bound(amount, 1, 1e18));
        uint32 openBlock = list[i].openBlock;
        address receiver = receiverOf(i);
        bytes memory proof = typedProof(list[i].senderKey, receiver, openBlock, over);
        vm.prank(how % 5 < 2 ? receiver : senderOf(i));
        if (how % 5 == 0) try channels.withdraw(openBlock, over, proof) { revert("over the deposit"); } catch {}
        else if (how % 5 == 1) try channels.cooperativeClose(receiver, openBlock, over, proof, "") { revert("over"); } catch {}
        else if (how % 5 == 2) try channels.uncooperativeClose(receiver, openBlock, over) { revert("over"); } catch {}
        else if (how % 5 == 3) try channels.challenge(receiver, openBlock, over, proof) { revert("over"); } catch {}
        else try channels.cooperativeClose(receiver, openBlock, 0, proof, "") { revert("unsigned"); } catch {}
    }

    function pick(uint256 seed) private view returns (bool, uint256) {
        if (list.length == 0) return (false, 0);
        uint256 i = seed % list.length;
        for (uint256 tries; tries < 8; tries++) {
            if (!list[i].over) return (true, i);
            i = (i + 1) % list.length;
        }
        return (false, 0);
    }

    function sign(uint256 i, uint256 balance) private returns (bytes memory) {
        note(i, balance);
        return typedProof(list[i].senderKey, receiverOf(i), list[i].openBlock, uint192(balance));
    }

    function note(uint256 i, uint256 balance) private {
        if (balance <= list[i].signed) return;
        signedTo[receiverOf(i)] += balance - list[i].signed;
        list[i].signed = balance;
    }
}

contract InvariantsTest is ChannelsTest {
    uint256 private constant FUNDS = 2 ** 80;
    Handler private handler;

    function setUp() public {
        deploy();
        handler = new Handler(token, channels);
        for (uint256 key = 1; key <= 3; key++) token.transfer(vm.addr(key), FUNDS);
    }

    function targetContracts() public view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(handler);
    }

    function entry(uint256 i) private view returns (Handler.Channel memory channel) {
        (
            channel.senderKey,
            channel.receiverKey,
            channel.openBlock,
            channel.deposit,
            channel.withdrawn,
            channel.signed,
            channel.closing,
            channel.settleBlock,
            channel.over
        ) = handler.list(i);
    }

    /// Tokens held are what open channels still owe; nobody was refused here, so there are no credits.
    function invariant_tokensHeldAreOwed() public view {
        uint256 owed;
        for (uint256 i; i < handler.count(); i++) {
            Handler.Channel memory channel = entry(i);
            if (!channel.over) owed += channel.deposit - channel.withdrawn;
        }
        assert(token.balanceOf(address(channels)) == owed);
    }

    function invariant_nobodyGetsMoreThanSigned() public view {
        for (uint256 key = 11; key <= 12; key++) {
            assert(token.balanceOf(vm.addr(key)) <= handler.signedTo(vm.addr(key)));
        }
        for (uint256 key = 1; key <= 3; key++) {
            address sender = vm.addr(key);
            assert(token.balanceOf(sender) <= FUNDS);
            assert(token.balanceOf(sender) >= FUNDS - handler.deposited(sender));
        }
    }

    function invariant_noTokenIsLost() public view {
        uint256 sum = token.balanceOf(address(channels)) + token.balanceOf(address(this));
        for (uint256 key = 1; key <= 3; key++) sum += token.balanceOf(vm.addr(key));
        for (uint256 key = 11; key <= 12; key++) sum += token.balanceOf(vm.addr(key));
        assert(sum == token.totalSupply());
    }

    function invariant_theContractSaysWhatHappened() public view {
        for (uint256 i; i < handler.count(); i++) {
            Handler.Channel memory channel = entry(i);
            (uint192 deposit,) = channels.channels(
                channels.getKey(handler.senderOf(i), handler.receiverOf(i), channel.openBlock)
            );
            assert(deposit == (channel.over ? 0 : channel.deposit));
        }
    }

    /// The sender alone, and the receiver with its last proof alone, can end every open channel.
    function invariant_eitherSideCanEndEveryChannel() public {
        for (uint256 i; i < handler.count(); i++) {
            Handler.Channel memory channel = entry(i);
            if (channel.over) continue;
            uint256 state = vm.snapshotState();
            vm.roll(block.number + 1);
            address sender = handler.senderOf(i);
            address receiver = handler.receiverOf(i);
            if (channel.settleBlock == 0) {
                vm.prank(sender);
                channels.uncooperativeClose(receiver, channel.openBlock, uint192(channel.signed));
            }
            vm.roll(block.number + 600);
            vm.prank(sender);
            channels.settle(receiver, channel.openBlock);
            assert(vm.revertToState(state));

            state = vm.snapshotState();
            vm.roll(block.number + 1);
            bytes memory proof = typedProof(channel.senderKey, receiver, channel.openBlock, uint192(channel.signed));
            vm.prank(receiver);
            channels.cooperativeClose(receiver, channel.openBlock, uint192(channel.signed), proof, "");
            assert(vm.revertToState(state));
        }
    }
}
