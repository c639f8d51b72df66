// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @notice All that is kept about one channel, in one storage slot:
///
/// bits      | field
/// ----------|----------------------------------------------------------------
///   0 –  71 | deposit
///  72 – 143 | withdrawn: what the receiver has taken out already
/// 144 – 215 | closing balance: what the sender said in its close request
/// 216 – 247 | block: opened in; once a close is requested, the last one of the challenge period
/// 248 – 255 | state: 0 none, 1 open, 2 close requested
///
/// Amounts are in the token's smallest unit. A record of zero is no channel.
type ChannelRecord is uint256;

using ChannelRecords for ChannelRecord global;

/// @notice Reads and builds channel records. Bounds are the caller's: it passes amounts that fit.
library ChannelRecords {
    /// @notice The largest amount that a record holds.
    uint256 internal constant MAX_AMOUNT = type(uint72).max;

    uint256 private constant OPEN = 1 << 248;
    uint256 private constant CLOSE_REQUESTED = 2 << 248;

    /// @notice A channel that has just been opened.
    function opened(uint256 deposit_, uint256 blockNumber) internal pure returns (ChannelRecord) {
        return ChannelRecord.wrap(OPEN | (blockNumber << 216) | deposit_);
    }

    function exists(ChannelRecord record) internal pure returns (bool) {
        return ChannelRecord.unwrap(record) != 0;
    }

    function isOpen(ChannelRecord record) internal pure returns (bool) {
        return ChannelRecord.unwrap(record) >> 248 == 1;
    }

    function isCloseRequested(ChannelRecord record) internal pure returns (bool) {
        return ChannelRecord.unwrap(record) >> 248 == 2;
    }

    function deposit(ChannelRecord record) internal pure returns (uint192) {
        return uint72(ChannelRecord.unwrap(record));
    }

    function withdrawn(ChannelRecord record) internal pure returns (uint192) {
        return uint72(ChannelRecord.unwrap(record) >> 72);
    }

    function closingBalance(ChannelRecord record) internal pure returns (uint192) {
        return uint72(ChannelRecord.unwrap(record) >> 144);
    }

    /// @notice The open block of an open channel; 0 once a close is requested.
    function openBlock(ChannelRecord record) internal pure returns (uint32) {
        return isOpen(record) ? uint32(ChannelRecord.unwrap(record) >> 216) : 0;
    }

    /// @notice The last block of the challenge period; 0 while no close is requested.
    function settleBlock(ChannelRecord record) internal pure returns (uint32) {
        return isCloseRequested(record) ? uint32(ChannelRecord.unwrap(record) >> 216) : 0;
    }

    /// @notice Where the record of a channel with this key is: at the key itself.
    function load(bytes32 key) internal view returns (ChannelRecord record) {
        assembly ("memory-safe") {
            record := sload(key)
        }
    }

    function store(ChannelRecord record, bytes32 key) internal {
        assembly ("memory-safe") {
            sstore(key, record)
        }
    }

    /// @notice Whether the receiver may take out up to `amount`: the channel is open, the amount not over the
    /// deposit, and above what was withdrawn. One condition without branches; so are the next three.
    function canWithdraw(ChannelRecord record, uint256 amount) internal pure returns (bool can) {
        assembly ("memory-safe") {
            let deposit_ := and(record, 0xffffffffffffffffff)
            let withdrawn_ := and(shr(72, record), 0xffffffffffffffffff)
            can := and(eq(shr(248, record), 1), and(iszero(gt(amount, deposit_)), gt(amount, withdrawn_)))
        }
    }

    /// @notice Whether a channel opened in `openBlock_` may end at `amount`: it exists since an earlier block, the
    /// amount is not over the deposit and not under what was withdrawn.
    function canClose(ChannelRecord record, uint256 openBlock_, uint256 amount) internal view returns (bool can) {
        assembly ("memory-safe") {
            let deposit_ := and(record, 0xffffffffffffffffff)
            let withdrawn_ := and(shr(72, record), 0xffffffffffffffffff)
            let amiss := or(gt(amount, deposit_), lt(amount, withdrawn_))
            can := iszero(or(or(iszero(record), eq(number(), openBlock_)), amiss))
        }
    }

    /// @notice Whether a balance answers a close request: in the challenge period, not over the deposit, and above
    /// the closing balance.
    function canChallenge(ChannelRecord record, uint256 amount) internal view returns (bool can) {
        assembly ("memory-safe") {
            let deposit_ := and(record, 0xffffffffffffffffff)
            let closing := and(shr(144, record), 0xffffffffffffffffff)
            let inTime := iszero(gt(number(), and(shr(216, record), 0xffffffff)))
            can := and(and(eq(shr(248, record), 2), inTime), and(iszero(gt(amount, deposit_)), gt(amount, closing)))
        }
    }

    /// @notice Whether the challenge period of a close request is over.
    function canSettle(ChannelRecord record) internal view returns (bool can) {
        assembly ("memory-safe") {
            can := and(eq(shr(248, record), 2), gt(number(), and(shr(216, record), 0xffffffff)))
        }
    }

    function withDeposit(ChannelRecord record, uint256 deposit_) internal pure returns (ChannelRecord) {
        uint256 rest = ChannelRecord.unwrap(record) & ~MAX_AMOUNT;
        return ChannelRecord.wrap(rest | deposit_);
    }

    function withWithdrawn(ChannelRecord record, uint256 withdrawn_) internal pure returns (ChannelRecord) {
        uint256 rest = ChannelRecord.unwrap(record) & ~(MAX_AMOUNT << 72);
        return ChannelRecord.wrap(rest | (withdrawn_ << 72));
    }

    function withClosingBalance(ChannelRecord record, uint256 balance) internal pure returns (ChannelRecord) {
        uint256 rest = ChannelRecord.unwrap(record) & ~(MAX_AMOUNT << 144);
        return ChannelRecord.wrap(rest | (balance << 144));
    }

    /// @notice The same channel with a close requested: deposit and withdrawn stay.
    function closeRequested(ChannelRecord record, uint256 balance, uint256 settleBlock_)
        internal
        pure
        returns (ChannelRecord)
    {
        uint256 amounts = ChannelRecord.unwrap(record) & ((1 << 144) - 1);
        return ChannelRecord.wrap(CLOSE_REQUESTED | (settleBlock_ << 216) | (balance << 144) | amounts);
    }
}
