// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {RaidenMicroTransferChannels} from "../../../contracts/src/RaidenMicroTransferChannels.sol";
import {FreezableToken} from "./FreezableToken.sol";
import {Handler} from "./Handler.sol";
import {vm} from "./Vm.sol";

/// What holds after any sequence of calls by several senders, receivers and others.
contract InvariantsTest {
    Handler private handler;
    RaidenMicroTransferChannels private channels;
    FreezableToken private token;

    function setUp() public {
        handler = new Handler();
        channels = handler.contractUnderTest();
        token = handler.freezable();
    }

    /// The runner calls the handler only, and only what is an action.
    struct FuzzSelector {
        address addr;
        bytes4[] selectors;
    }

    function targetSelectors() public view returns (FuzzSelector[] memory targets) {
        bytes4[13] memory actions = [
            handler.open.selector,
            handler.topUp.selector,
            handler.withdraw.selector,
            handler.withdrawBatch.selector,
            handler.close.selector,
            handler.closeBatch.selector,
            handler.requestClose.selector,
            handler.challenge.selector,
            handler.settle.selector,
            handler.attack.selector,
            handler.freeze.selector,
            handler.collect.selector,
            handler.delegate.selector
        ];
        targets = new FuzzSelector[](1);
        targets[0].addr = address(handler);
        targets[0].selectors = new bytes4[](actions.length);
        for (uint256 i; i < actions.length; ++i) {
            targets[0].selectors[i] = actions[i];
        }
    }

    function targetContracts() public view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(handler);
    }

    function invariant_tokensHeldAreDepositsLessWithdrawalsPlusCredits() public view {
        require(token.balanceOf(address(channels)) == handler.owed(), "held");
    }

    function invariant_nobodyGetsMoreThanSigned() public view {
        uint256 start = handler.START();
        for (uint256 i; i < handler.accounts(); ++i) {
            address account = handler.account(i);
            uint256 has = token.balanceOf(account) + channels.credits(account);
            uint256 received = handler.mostReceived(account);
            require(has <= start + received, "too much");
            require(has >= handler.leastLeft(account), "too little");
        }
    }

    function invariant_eitherSideCanEndEveryChannel() public {
        uint256 blockNumber = vm.getBlockNumber();
        for (uint256 i; i < handler.count(); ++i) {
            (,,,,,,,, uint192 proven, bool ended) = handler.all(i);
            if (ended) continue;
            _couldEnd(abi.encodeCall(handler.endBySender, (i)));
            vm.roll(blockNumber);
            if (proven != 0) _couldEnd(abi.encodeCall(handler.endByReceiver, (i)));
            vm.roll(blockNumber);
        }
    }

    function _couldEnd(bytes memory message) private {
        (, bytes memory result) = address(handler).call(message);
        require(bytes4(result) == Handler.Ended.selector, "cannot be ended");
    }
}
