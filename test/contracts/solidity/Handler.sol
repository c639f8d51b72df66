// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {RaidenMicroTransferChannels} from "../../../contracts/src/RaidenMicroTransferChannels.sol";
import {ChannelsTest} from "./ChannelsTest.sol";
import {Burner, FreezableToken} from "./FreezableToken.sol";
import {vm} from "./Vm.sol";

/// One call of somebody for each function, with arguments made to fit the channels that there are.
/// It keeps its own books of what was deposited and signed. A call that should work and reverts
/// fails the run.
contract Handler is ChannelsTest {
    struct Channel {
        uint256 senderKey; // never 0
        uint256 receiverKey;
        address sender;
        address receiver;
        bytes32 key;
        uint32 openBlock;
        uint192 deposit;
        uint192 signed; // the highest balance that the sender vouched for, by proof or close request
        uint192 proven; // the highest balance with a proof
        bool ended;
    }

    uint256 public constant START = 1e30;
    uint256 private constant ALL_SENDERS = 3;
    uint256 private constant ALL_RECEIVERS = 2;

    FreezableToken public immutable freezable;
    address private immutable burner = address(new Burner());
    Channel[] public all;
    address[] public account;

    constructor() {
        freezable = new FreezableToken((ALL_SENDERS + ALL_RECEIVERS) * START);
        token = freezable;
        channels = new RaidenMicroTransferChannels(address(token), 500, new address[](0));
        for (uint256 i; i < ALL_SENDERS + ALL_RECEIVERS; ++i) {
            account.push(vm.addr(_key(i)));
            token.transfer(account[i], START);
            vm.prank(account[i]);
            token.approve(address(channels), type(uint256).max);
        }
    }

    // ---------------------------------------------------------------- actions

    function open(uint256 senderSeed, uint256 receiverSeed, uint256 amount, uint256 way) external {
        uint256 senderKey = _key(senderSeed % ALL_SENDERS);
        uint256 receiverKey = _key(ALL_SENDERS + receiverSeed % ALL_RECEIVERS);
        address sender = account[senderSeed % ALL_SENDERS];
        address receiver = account[ALL_SENDERS + receiverSeed % ALL_RECEIVERS];
        uint192 deposit = uint192(1 + amount % type(uint72).max);
        _nextBlock(1);
        uint32 openBlock = uint32(vm.getBlockNumber());
        if (way % 3 == 0) {
            vm.prank(sender);
            channels.createChannel(receiver, deposit);
        } else if (way % 3 == 1) {
            vm.prank(sender);
            token.transfer(address(channels), deposit, abi.encodePacked(sender, receiver));
        } else {
            // A permit over the deposit would replace the allowance that the other ways use.
            channels.createChannelFor(
                sender,
                receiver,
                deposit,
                FOREVER,
                way % 2 == 0 ? _none() : permitOf(senderKey, sender, deposit),
                openMessage(senderKey, sender, receiver, deposit)
            );
            vm.prank(sender);
            token.approve(address(channels), FOREVER);
        }
        bytes32 key = channels.getKey(sender, receiver, openBlock);
        all.push(Channel(senderKey, receiverKey, sender, receiver, key, openBlock, deposit, 0, 0, false));
    }

    function topUp(uint256 seed, uint256 amount, uint256 way) external {
        (Channel storage c, address sender, address receiver) = _pick(seed);
        if (c.senderKey == 0 || _requested(c)) return;
        uint256 room = type(uint72).max - c.deposit;
        if (room == 0) return;
        uint192 added = uint192(1 + amount % room);
        if (way % 3 == 0) {
            vm.prank(sender);
            channels.topUp(receiver, c.openBlock, added);
        } else if (way % 3 == 1) {
            vm.prank(sender);
            token.transfer(address(channels), added, abi.encodePacked(sender, receiver, c.openBlock));
        } else {
            channels.topUpFor(
                sender,
                receiver,
                c.openBlock,
                added,
                FOREVER,
                _none(),
                topUpMessage(c.senderKey, sender, receiver, c.openBlock, added)
            );
        }
        c.deposit += added;
    }

    function withdraw(uint256 seed, uint256 amount) external {
        (Channel storage c,, address receiver) = _pick(seed);
        if (c.senderKey == 0 || _requested(c) || freezable.frozen(receiver)) return;
        uint192 withdrawn = _withdrawn(c);
        if (withdrawn == c.deposit) return;
        uint192 balance = uint192(withdrawn + 1 + amount % (c.deposit - withdrawn));
        bytes memory proof = _proven(c, balance, amount);
        vm.prank(receiver);
        channels.withdraw(c.openBlock, balance, proof);
    }

    function withdrawBatch(uint256 seed, uint256 amount) external {
        (Channel storage c,, address receiver) = _pick(seed);
        if (c.senderKey == 0 || freezable.frozen(receiver)) return;
        (RaidenMicroTransferChannels.BalanceProofItem[] memory items, bytes memory ticks) =
            _itemsOf(c.receiverKey, amount);
        _batch(receiver, abi.encodeCall(channels.withdrawBatch, (items)), ticks);
    }

    function close(uint256 seed, uint256 amount, uint256 by, uint256 form) external {
        (Channel storage c, address sender, address receiver) = _pick(seed);
        if (c.senderKey == 0) return;
        uint192 withdrawn = _withdrawn(c);
        uint192 balance = uint192(withdrawn + amount % (uint256(c.deposit) - withdrawn + 1));
        bytes memory proof = _proven(c, balance, amount);
        if (form % 2 == 1) proof = seedProof(c.senderKey, receiver, c.openBlock, balance);
        bytes memory agreement = form % 3 == 0
            ? typedAgreement(c.receiverKey, sender, c.openBlock, balance)
            : seedAgreement(c.receiverKey, sender, c.openBlock, balance);
        address[4] memory callers = [sender, receiver, address(this), receiver];
        if (by % 4 == 3) agreement = "";
        _nextBlock(1);
        vm.prank(callers[by % 4]);
        channels.cooperativeClose(receiver, c.openBlock, balance, proof, agreement);
        c.ended = true;
    }

    function closeBatch(uint256 seed, uint256 amount) external {
        (Channel storage c,, address receiver) = _pick(seed);
        if (c.senderKey == 0) return;
        (RaidenMicroTransferChannels.BalanceProofItem[] memory items, bytes memory ticks) =
            _itemsOf(c.receiverKey, amount);
        _nextBlock(1);
        _batch(receiver, abi.encodeCall(channels.cooperativeCloseBatch, (items)), ticks);
        for (uint256 i; i < all.length; ++i) {
            if (!all[i].ended && !_exists(all[i])) all[i].ended = true;
        }
    }

    function requestClose(uint256 seed, uint256 amount) external {
        (Channel storage c, address sender, address receiver) = _pick(seed);
        if (c.senderKey == 0 || _requested(c)) return;
        uint192 withdrawn = _withdrawn(c);
        uint192 balance = uint192(withdrawn + amount % (uint256(c.deposit) - withdrawn + 1));
        if (balance > c.signed) c.signed = balance;
        _nextBlock(1);
        vm.prank(sender);
        channels.uncooperativeClose(receiver, c.openBlock, balance);
    }

    function challenge(uint256 seed, uint256 amount) external {
        (Channel storage c, address sender, address receiver) = _pick(seed);
        if (c.senderKey == 0) return;
        (,, uint32 settleBlock, uint192 closing,) = channels.getChannelInfo(sender, receiver, c.openBlock);
        if (settleBlock < vm.getBlockNumber() || closing == c.deposit) return;
        uint192 balance = uint192(closing + 1 + amount % (c.deposit - closing));
        channels.challenge(receiver, c.openBlock, balance, _proven(c, balance, amount));
    }

    function settle(uint256 seed) external {
        (Channel storage c, address sender, address receiver) = _pick(seed);
        if (c.senderKey == 0 || !_requested(c)) return;
        _nextBlock(501);
        channels.settleFor(sender, receiver, c.openBlock);
        c.ended = true;
    }

    /// Somebody tries with signatures over other values, or none at all. Nothing may work.
    function attack(uint256 seed, uint256 amount, bytes calldata rubbish, uint256 way) external {
        (Channel storage c, address sender, address receiver) = _pick(seed);
        if (c.senderKey == 0) return;
        _nextBlock(1);
        uint192 balance = uint192(amount % (uint256(c.deposit) + 1));
        bytes memory other = typedProof(c.senderKey, receiver, c.openBlock, balance + 1);
        bytes memory over = seedProof(c.senderKey, receiver, c.openBlock, c.deposit + 1);
        bytes memory tick = tickProof(c.senderKey, receiver, c.openBlock, balance + 1, amount);
        bytes[4] memory proofs = [other, over, rubbish, tick];
        bytes memory proof = proofs[way % 4];
        uint192 claimed = way % 4 == 1 ? c.deposit + 1 : balance;
        vm.startPrank(receiver);
        _fails(abi.encodeCall(channels.withdraw, (c.openBlock, claimed, proof)));
        _fails(abi.encodeCall(channels.cooperativeClose, (receiver, c.openBlock, claimed, proof, "")));
        vm.stopPrank();
        _fails(abi.encodeCall(channels.challenge, (receiver, c.openBlock, claimed, proof)));
        // The right balance proof and no agreement, by somebody else.
        bytes memory good = typedProof(c.senderKey, receiver, c.openBlock, balance);
        _fails(abi.encodeCall(channels.cooperativeClose, (receiver, c.openBlock, balance, good, rubbish)));
        _fails(abi.encodeCall(channels.createChannelFor, (sender, address(this), 1, FOREVER, _none(), rubbish)));
        vm.prank(vm.addr(_key(100)));
        _fails(abi.encodeCall(channels.uncooperativeClose, (receiver, c.openBlock, 0)));
    }

    function freeze(uint256 who, uint256 frozen) external {
        freezable.freeze(account[who % account.length], frozen % 3 == 0);
    }

    /// A sender lets the burner be its code, or takes it back (EIP-7702). Its tokens move all the same.
    function delegate(uint256 who, uint256 burns) external {
        vm.etch(account[who % ALL_SENDERS], burns % 3 == 0 ? abi.encodePacked(hex"ef0100", burner) : bytes(""));
    }

    function collect(uint256 who) external {
        address owner = account[who % account.length];
        if (channels.credits(owner) == 0 || freezable.frozen(owner) || owner.code.length != 0) return;
        vm.prank(owner);
        channels.collectCredit(owner);
    }

    // ------------------------------------------------------------------- books

    function contractUnderTest() external view returns (RaidenMicroTransferChannels) {
        return channels;
    }

    function count() external view returns (uint256) {
        return all.length;
    }

    function accounts() external view returns (uint256) {
        return account.length;
    }

    /// What the contract has to hold for channels and credits.
    function owed() external view returns (uint256 sum) {
        for (uint256 i; i < all.length; ++i) {
            if (!all[i].ended) sum += all[i].deposit - _withdrawn(all[i]);
        }
        for (uint256 i; i < account.length; ++i) {
            sum += channels.credits(account[i]);
        }
    }

    /// The most that an account may have got as a receiver.
    function mostReceived(address receiver) external view returns (uint256 sum) {
        for (uint256 i; i < all.length; ++i) {
            if (all[i].receiver == receiver) sum += all[i].signed;
        }
    }

    /// The least that a sender still has: all but what is in channels, and what it signed in those that ended.
    function leastLeft(address sender) external view returns (uint256 left) {
        left = START;
        for (uint256 i; i < all.length; ++i) {
            if (all[i].sender != sender) continue;
            left -= all[i].ended ? all[i].signed : all[i].deposit;
        }
    }

    /// Ends a channel as its sender alone can, and undoes it: always reverts, with `Ended` if it could.
    error Ended();

    function endBySender(uint256 index) external {
        Channel storage c = all[index];
        (address sender, address receiver) = (c.sender, c.receiver);
        _nextBlock(1);
        vm.startPrank(sender);
        if (!_requested(c)) channels.uncooperativeClose(receiver, c.openBlock, _withdrawn(c));
        _nextBlock(501);
        channels.settle(receiver, c.openBlock);
        vm.stopPrank();
        require(!_exists(c), "still there");
        revert Ended();
    }

    /// The same as the receiver alone can, with the highest proof that it was given.
    function endByReceiver(uint256 index) external {
        Channel storage c = all[index];
        address receiver = c.receiver;
        _nextBlock(1);
        bytes memory proof = typedProof(c.senderKey, receiver, c.openBlock, c.proven);
        vm.prank(receiver);
        channels.cooperativeClose(receiver, c.openBlock, c.proven, proof, "");
        require(!_exists(c), "still there");
        revert Ended();
    }

    // ----------------------------------------------------------------- private

    function _key(uint256 index) private pure returns (uint256) {
        return 0xA11CE + index;
    }

    function _none() private pure returns (RaidenMicroTransferChannels.Permit memory) {
        return RaidenMicroTransferChannels.Permit(0, 0, 0);
    }

    function _nextBlock(uint256 blocks) private {
        vm.roll(vm.getBlockNumber() + blocks);
    }

    /// A channel that has not ended; all zero when there is none.
    function _pick(uint256 seed) private view returns (Channel storage c, address sender, address receiver) {
        uint256 n = all.length;
        for (uint256 i; i < n; ++i) {
            c = all[(seed % n + i) % n];
            if (!c.ended) return (c, c.sender, c.receiver);
        }
        assembly ("memory-safe") {
            c.slot := not(0) // where nothing was ever written
        }
    }

    /// A proof of the balance: signed, or by a tick of a commitment of its own.
    function _proven(Channel storage c, uint192 balance, uint256 seed) private returns (bytes memory) {
        if (balance > c.signed) c.signed = balance;
        if (balance > c.proven) c.proven = balance;
        return seed % 2 == 0
            ? typedProof(c.senderKey, c.receiver, c.openBlock, balance)
            : tickProof(c.senderKey, c.receiver, c.openBlock, balance, seed);
    }

    /// A batch by the receiver, with the words of its ticks behind the items.
    function _batch(address receiver, bytes memory message, bytes memory ticks) private {
        vm.prank(receiver);
        (bool success,) = address(channels).call(abi.encodePacked(message, ticks));
        require(success, "a batch failed");
    }

    /// A proof for each channel of the receiver, the ended ones too: those are to be skipped. Every other one is a tick.
    function _itemsOf(uint256 receiverKey, uint256 amount)
        private
        returns (RaidenMicroTransferChannels.BalanceProofItem[] memory items, bytes memory ticks)
    {
        address receiver = account[receiverKey - _key(0)];
        uint256 n = all.length < 4 ? all.length : 4;
        items = new RaidenMicroTransferChannels.BalanceProofItem[](n);
        for (uint256 i; i < n; ++i) {
            Channel storage c = all[all.length - 1 - i];
            uint192 balance = uint192(amount % (uint256(c.deposit) + 1));
            // For another receiver's channel nothing was signed: the signer will be nobody's sender.
            if (c.receiverKey == receiverKey && !c.ended) _proven(c, balance, amount);
            uint256 key = c.receiverKey == receiverKey ? c.senderKey : 1;
            if ((amount >> i) % 2 == 0) {
                items[i] = proofItem(key, receiver, c.openBlock, balance);
            } else {
                uint256 at = 4 + 64 + 128 * n + ticks.length;
                items[i] = RaidenMicroTransferChannels.BalanceProofItem(c.openBlock, balance, 0, bytes32(at));
                ticks = bytes.concat(ticks, tickProof(key, receiver, c.openBlock, balance, amount >> 1));
            }
        }
    }

    function _fails(bytes memory message) private {
        (bool success,) = address(channels).call(message);
        require(!success, "an attack worked");
    }

    function _exists(Channel storage c) private view returns (bool) {
        (uint192 deposit,) = channels.channels(c.key);
        return deposit != 0;
    }

    function _withdrawn(Channel storage c) private view returns (uint192) {
        return channels.withdrawn_balances(c.key);
    }

    function _requested(Channel storage c) private view returns (bool) {
        (, uint32 settleBlock) = channels.closing_requests(c.key);
        return settleBlock != 0;
    }
}
