// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {SafeTransferLib} from "solady/src/utils/SafeTransferLib.sol";

import {ChannelRecord, ChannelRecords} from "./ChannelRecord.sol";
import {ChannelSignatures} from "./ChannelSignatures.sol";

interface IPermitToken {
    function totalSupply() external view returns (uint256);
    function permit(address owner, address spender, uint256 value, uint256 deadline, uint8 v, bytes32 r, bytes32 s)
        external;
}

/// @title Raiden MicroTransfer Channels
/// @notice One-way payment channels in one token. A sender opens a channel to a receiver with a
/// deposit, pays off-chain by signing growing balances, and the contract pays out what the last
/// balance proof proves. Amounts are in the token's smallest unit. The token is trusted to move what
/// it says it moves; senders, receivers and everybody else are not trusted.
contract RaidenMicroTransferChannels is ChannelSignatures {
    // ------------------------------------------------------------------ errors

    /// @notice The token's address is zero, has no code, or answers no `totalSupply()` above zero.
    error InvalidToken();
    /// @notice The challenge period is under 500 blocks.
    error ChallengePeriodTooShort();
    /// @notice Only the owner may change the list of trusted contracts.
    error NotOwner();
    /// @notice Only the token may call `tokenFallback`.
    error NotToken();
    /// @notice The caller is no trusted contract, so it may not act for another sender.
    error NotTrusted();
    /// @notice The receiver may not be zero, the token or this contract: they could never settle.
    error InvalidReceiver();
    /// @notice A trusted contract may not open for zero, the token or this contract: what is left at the
    /// end could not go back.
    error InvalidSender();
    /// @notice The amount is zero.
    error ZeroAmount();
    /// @notice The deposit would be over `channel_deposit_bugbounty_limit()`.
    error DepositTooLarge();
    /// @notice The same sender has opened a channel to the same receiver in this block already.
    error ChannelExists();
    /// @notice No channel has these parties and this open block; or the balance proof was signed by
    /// somebody else or over other values, which cannot be told apart.
    error ChannelNotFound();
    /// @notice The data of a token transfer is neither 40 bytes (open) nor 44 bytes (top up).
    error InvalidData();
    /// @notice A close was requested, so the channel takes no tokens and allows no withdrawal.
    error CloseRequested();
    /// @notice No close was requested for this channel.
    error CloseNotRequested();
    /// @notice A channel cannot end in the block in which it was opened.
    error OpenedInThisBlock();
    /// @notice The balance is over the channel's deposit.
    error BalanceOverDeposit();
    /// @notice The balance is under what the receiver has withdrawn already.
    error BalanceUnderWithdrawn();
    /// @notice The closing agreement is not this receiver's over this sender, block and balance.
    error InvalidClosingSignature();
    /// @notice The end of the challenge period would not fit 32 bits: of a close requested now, or, when a channel is
    /// opened or the contract deployed, of one requested in the next block.
    error SettleBlockTooLarge();
    /// @notice The challenge period is not over yet.
    error ChallengePeriodNotOver();
    /// @notice The challenge period is over.
    error ChallengePeriodOver();
    /// @notice The balance is not above the one that it should replace.
    error BalanceNotHigher();
    /// @notice The deadline of a signed message has passed.
    error DeadlinePassed();
    /// @notice The message to open or top up was not signed by this sender, or with another nonce.
    error InvalidSenderSignature();
    /// @notice The token moved another amount than asked for, for example because it keeps a fee.
    error UnexpectedTransferAmount();
    /// @notice The token called back while tokens were being pulled.
    error Reentrancy();
    /// @notice There is no credit to collect.
    error NoCredit();
    /// @notice The token refused a transfer.
    error TransferFailed();
    /// @notice The token refused to move tokens here: no allowance, or not enough tokens.
    error TransferFromFailed();

    // ------------------------------------------------------------------ events

    /// @notice A channel was opened in this block.
    event ChannelCreated(address indexed _sender_address, address indexed _receiver_address, uint192 _deposit);
    /// @notice A channel's deposit grew by `_added_deposit`.
    event ChannelToppedUp(
        address indexed _sender_address,
        address indexed _receiver_address,
        uint32 indexed _open_block_number,
        uint192 _added_deposit
    );
    /// @notice The sender asked to close at `_balance`; the challenge period runs.
    event ChannelCloseRequested(
        address indexed _sender_address,
        address indexed _receiver_address,
        uint32 indexed _open_block_number,
        uint192 _balance
    );
    /// @notice A channel is over. `_receiver_tokens` is what the receiver got now: the balance
    /// without what it had withdrawn before.
    event ChannelSettled(
        address indexed _sender_address,
        address indexed _receiver_address,
        uint32 indexed _open_block_number,
        uint192 _balance,
        uint192 _receiver_tokens
    );
    /// @notice The receiver took out `_withdrawn` of an open channel.
    event ChannelWithdraw(
        address indexed _sender_address,
        address indexed _receiver_address,
        uint32 indexed _open_block_number,
        uint192 _withdrawn
    );
    /// @notice A higher balance proof was shown in the challenge period: the closing balance is now
    /// `_balance`.
    event ChannelChallenged(
        address indexed _sender_address,
        address indexed _receiver_address,
        uint32 indexed _open_block_number,
        uint192 _balance
    );
    /// @notice A contract became trusted, or is trusted no longer.
    event TrustedContract(address indexed _trusted_contract_address, bool _trusted_status);
    /// @notice Item `_index` of a batch was left out; `_reason` is the error's selector.
    event BatchItemSkipped(uint256 indexed _index, bytes4 _reason);
    /// @notice The token refused to pay `_account`: its share waits for `collectCredit`.
    event PayoutCredited(address indexed _account, uint256 _amount);
    /// @notice `_account` collected a credit.
    event CreditCollected(address indexed _account, address indexed _recipient, uint256 _amount);

    // ------------------------------------------------------------------- types

    /// @notice A balance proof for the caller as receiver, as the batches take it: the sender's
    /// signature is in the compact form of EIP-2098, which costs less to send. With `r` zero the balance is proven
    /// by a tick, and `vs` says where in the call's data its five words lie, counted from the selector on.
    struct BalanceProofItem {
        uint32 open_block_number;
        uint192 balance;
        bytes32 r;
        bytes32 vs;
    }

    /// @notice An EIP-2612 permit over the deposit, with the deadline of the message it comes with.
    /// With `v` zero no permit is used and a standing allowance must do.
    struct Permit {
        uint8 v;
        bytes32 r;
        bytes32 s;
    }

    // ------------------------------------------------------------------- state

    /// @notice Programs check this; 0.4 understands all that 0.2 and 0.3 did.
    string public constant version = "0.4.0";

    /// @notice The largest deposit of a channel: what its storage slot holds.
    uint256 public constant channel_deposit_bugbounty_limit = ChannelRecords.MAX_AMOUNT;

    /// @notice The token of all channels.
    address public immutable token;

    /// @notice Who may change the list of trusted contracts: the deployer.
    address public immutable owner_address;

    /// @notice Blocks between a close request and the earliest settlement.
    uint32 public immutable challenge_period;

    /// @dev From this block on no channel opens: its sender could not end it alone any more.
    uint256 private immutable _openUntil;

    /// @dev The most gas that the token gets for a payout, some ten times what a transfer takes. A recipient whose
    /// code runs in the transfer and burns gas gets a credit, and does not stop the batch that pays it.
    uint256 private constant PAYOUT_GAS = 300_000;

    /// @dev `receiveWithAuthorization` of EIP-3009, with v, r and s.
    bytes4 private constant RECEIVE_WITH_SIGNATURE = bytes4(
        keccak256("receiveWithAuthorization(address,address,uint256,uint256,uint256,bytes32,uint8,bytes32,bytes32)")
    );

    /// @dev The same with a signature of any form, as USDC has it.
    bytes4 private constant RECEIVE_WITH_BYTES =
        bytes4(keccak256("receiveWithAuthorization(address,address,uint256,uint256,uint256,bytes32,bytes)"));

    /// @notice Contracts that may open and top up channels for other senders.
    mapping(address trusted_contract => bool is_trusted) public trusted_contracts;

    /// @notice The nonce of a sender's next `OpenChannel` or `TopUp` message.
    mapping(address sender => uint256 nonce) public nonces;

    /// @notice What the token refused to pay out, by account. The record of each channel lies at the channel's key,
    /// a hash of 44 bytes that no other variable's slot can be.
    mapping(address account => uint256 amount) public credits;

    /// @dev Not 0 while tokens are being pulled, so that no callback counts them a second time. A whole
    /// word, because setting a part of one would read it first.
    uint256 private transient _pulling;

    // ------------------------------------------------------------- constructor

    /// @param _token_address The token of all channels.
    /// @param _challenge_period Blocks, at least 500, and so many that a period that begins now ends within 32 bits.
    /// @param _trusted_contracts Contracts to trust from the start; addresses without code are passed over.
    constructor(address _token_address, uint32 _challenge_period, address[] memory _trusted_contracts) {
        if (_token_address.code.length == 0) revert InvalidToken();
        if (_challenge_period < 500) revert ChallengePeriodTooShort();
        token = _token_address;
        challenge_period = _challenge_period;
        uint256 openUntil = type(uint32).max - _challenge_period;
        if (block.number >= openUntil) revert SettleBlockTooLarge();
        _openUntil = openUntil;
        owner_address = msg.sender;
        try IPermitToken(_token_address).totalSupply() returns (uint256 supply) {
            if (supply == 0) revert InvalidToken();
        } catch {
            revert InvalidToken();
        }
        _addTrustedContracts(_trusted_contracts);
    }

    // -------------------------------------------------------- open and top up

    /// @notice ERC-223: called by the token after a transfer to this contract. 40 bytes of data
    /// (sender ‖ receiver) open a channel, 44 bytes (sender ‖ receiver ‖ open block) top one up.
    /// @param _sender_address Who sent the tokens: the channel's sender, or a trusted contract.
    /// @param _deposit The amount sent.
    /// @param _data Which channel.
    function tokenFallback(address _sender_address, uint256 _deposit, bytes calldata _data) external {
        if (msg.sender != token) _fail(NotToken.selector);
        if (_pulling != 0) _fail(Reentrancy.selector);
        if (_data.length != 40 && _data.length != 44) _fail(InvalidData.selector);
        address sender;
        address receiver;
        assembly ("memory-safe") {
            // Slices would check their bounds once more; the length says which bytes are there.
            sender := shr(96, calldataload(_data.offset))
            receiver := shr(96, calldataload(add(_data.offset, 20)))
        }
        if (sender != _sender_address) _requireTrusted(_sender_address, sender);
        if (_data.length == 40) {
            _open(sender, receiver, _deposit);
        } else {
            uint32 openBlock;
            assembly ("memory-safe") {
                openBlock := shr(224, calldataload(add(_data.offset, 40)))
            }
            _topUp(sender, receiver, openBlock, _deposit);
        }
    }

    /// @notice Opens a channel with tokens that this contract is allowed to take (ERC-20 `approve`).
    /// @param _receiver_address Who is paid.
    /// @param _deposit The most that can be paid until the next top up.
    function createChannel(address _receiver_address, uint192 _deposit) external {
        _open(msg.sender, _receiver_address, _deposit);
        _pull(msg.sender, _deposit);
    }

    /// @notice Opens a channel with an EIP-2612 permit in place of an earlier `approve`.
    /// @param _receiver_address Who is paid.
    /// @param _deposit The most that can be paid until the next top up; the permit's value.
    /// @param _deadline The permit's deadline, Unix seconds.
    /// @param _permit The caller's permit for this contract.
    function createChannelWithPermit(
        address _receiver_address,
        uint192 _deposit,
        uint256 _deadline,
        Permit calldata _permit
    ) external {
        _open(msg.sender, _receiver_address, _deposit);
        _usePermit(msg.sender, _deposit, _deadline, _permit);
        _pull(msg.sender, _deposit);
    }

    /// @notice Opens a channel for a sender that signed for it; anybody may send this and pays the gas.
    /// @param _sender_address Who pays into the channel.
    /// @param _receiver_address Who is paid.
    /// @param _deposit The deposit; the permit's value.
    /// @param _deadline Deadline of permit and message, Unix seconds.
    /// @param _permit The sender's permit for this contract; a permit that was used by somebody in
    /// front of this transaction does no harm, because then the allowance stands.
    /// @param _open_sig The sender's signature of `OpenChannel` with its next nonce.
    function createChannelFor(
        address _sender_address,
        address _receiver_address,
        uint192 _deposit,
        uint256 _deadline,
        Permit calldata _permit,
        bytes calldata _open_sig
    ) external {
        bytes32 digest = _openChannelHash(
            _sender_address, _receiver_address, _deposit, nonces[_sender_address]++, _deadline
        );
        _requireSender(_sender_address, digest, _deadline, _open_sig);
        _open(_sender_address, _receiver_address, _deposit);
        _usePermit(_sender_address, _deposit, _deadline, _permit);
        _pull(_sender_address, _deposit);
    }

    /// @notice Opens a channel with one signature of its sender, an EIP-3009 authorization for this contract over the
    /// deposit; anybody may send this and pays the gas. The authorization's nonce is keccak256(receiver ‖ salt), so
    /// that it opens a channel to this receiver and to nobody else.
    /// @param _sender_address Who pays into the channel.
    /// @param _receiver_address Who is paid.
    /// @param _deposit The deposit; the authorization's value.
    /// @param _valid_after The authorization counts after this time, Unix seconds.
    /// @param _valid_before And before this one.
    /// @param _salt Chosen by the sender, another one each time.
    /// @param _authorization The sender's signature of `ReceiveWithAuthorization`: 65 bytes, or what a token that asks
    /// smart wallets (ERC-1271) hands to them.
    function createChannelWithAuthorization(
        address _sender_address,
        address _receiver_address,
        uint192 _deposit,
        uint64 _valid_after,
        uint64 _valid_before,
        bytes32 _salt,
        bytes calldata _authorization
    ) external {
        _open(_sender_address, _receiver_address, _deposit);
        bytes32 nonce = keccak256(abi.encodePacked(_receiver_address, _salt));
        bytes memory terms =
            abi.encode(_sender_address, address(this), uint256(_deposit), _valid_after, _valid_before, nonce);
        _pullWithAuthorization(_deposit, terms, _authorization);
    }

    /// @notice A trusted contract opens a channel for a sender with the contract's own tokens.
    /// @param _sender_address The channel's sender, which gets what is left at the end.
    /// @param _receiver_address Who is paid.
    /// @param _deposit The deposit.
    function createChannelDelegate(address _sender_address, address _receiver_address, uint192 _deposit) external {
        _requireTrusted(msg.sender, _sender_address);
        _open(_sender_address, _receiver_address, _deposit);
        _pull(msg.sender, _deposit);
    }

    /// @notice Adds to the deposit of one's own channel with tokens that this contract is allowed to take.
    /// @param _receiver_address The channel's receiver.
    /// @param _open_block_number The block in which it was opened.
    /// @param _added_deposit What is added.
    function topUp(address _receiver_address, uint32 _open_block_number, uint192 _added_deposit) external {
        _topUp(msg.sender, _receiver_address, _open_block_number, _added_deposit);
        _pull(msg.sender, _added_deposit);
    }

    /// @notice Tops up for a sender that signed for it; anybody may send this and pays the gas.
    /// @param _sender_address The channel's sender.
    /// @param _receiver_address The channel's receiver.
    /// @param _open_block_number The block in which it was opened.
    /// @param _added_deposit What is added; the permit's value.
    /// @param _deadline Deadline of permit and message, Unix seconds.
    /// @param _permit The sender's permit for this contract.
    /// @param _top_up_sig The sender's signature of `TopUp` with its next nonce.
    function topUpFor(
        address _sender_address,
        address _receiver_address,
        uint32 _open_block_number,
        uint192 _added_deposit,
        uint256 _deadline,
        Permit calldata _permit,
        bytes calldata _top_up_sig
    ) external {
        bytes32 digest = _topUpHash(
            _sender_address,
            _receiver_address,
            _open_block_number,
            _added_deposit,
            nonces[_sender_address]++,
            _deadline
        );
        _requireSender(_sender_address, digest, _deadline, _top_up_sig);
        _topUp(_sender_address, _receiver_address, _open_block_number, _added_deposit);
        _usePermit(_sender_address, _added_deposit, _deadline, _permit);
        _pull(_sender_address, _added_deposit);
    }

    /// @notice A trusted contract tops up a sender's channel with the contract's own tokens.
    /// @param _sender_address The channel's sender.
    /// @param _receiver_address The channel's receiver.
    /// @param _open_block_number The block in which it was opened.
    /// @param _added_deposit What is added.
    function topUpDelegate(
        address _sender_address,
        address _receiver_address,
        uint32 _open_block_number,
        uint192 _added_deposit
    ) external {
        _requireTrusted(msg.sender, _sender_address);
        _topUp(_sender_address, _receiver_address, _open_block_number, _added_deposit);
        _pull(msg.sender, _added_deposit);
    }

    // ---------------------------------------------------------------- withdraw

    /// @notice The receiver takes out what a balance proof proves; the channel stays open.
    /// @param _open_block_number The block in which the channel was opened.
    /// @param _balance The proof's balance. What was withdrawn before is not paid again.
    /// @param _balance_msg_sig The sender's balance proof, or a tick, for the caller.
    function withdraw(uint32 _open_block_number, uint192 _balance, bytes calldata _balance_msg_sig) external {
        (bytes32 r, bytes32 vs) = _compact(_balance_msg_sig);
        (uint256 amount, bytes4 refusal) = _withdraw(_open_block_number, _balance, r, vs);
        if (refusal != 0) _fail(refusal);
        SafeTransferLib.safeTransfer(token, msg.sender, amount);
    }

    /// @notice Withdraws from many channels of the caller with one transfer. An item that cannot be
    /// withdrawn is skipped and reported by `BatchItemSkipped`.
    /// @param _items Balance proofs for the caller.
    function withdrawBatch(BalanceProofItem[] calldata _items) external {
        uint256 total;
        for (uint256 i; i < _items.length; ++i) {
            BalanceProofItem calldata item = _items[i];
            (uint256 amount, bytes4 refusal) = _withdraw(item.open_block_number, item.balance, item.r, item.vs);
            if (refusal != 0) emit BatchItemSkipped(i, refusal);
            unchecked {
                total += amount; // 72 bits each
            }
        }
        if (total != 0) SafeTransferLib.safeTransfer(token, msg.sender, total);
    }

    // ------------------------------------------------------------------- close

    /// @notice Ends a channel at once with both signatures; anybody may send it, also in the
    /// challenge period. When the receiver itself sends it, its own signature may be left empty.
    /// @param _receiver_address The channel's receiver.
    /// @param _open_block_number The block in which it was opened.
    /// @param _balance What the receiver gets in all; the sender gets the rest of the deposit.
    /// @param _balance_msg_sig The sender's balance proof, or a tick.
    /// @param _closing_sig The receiver's closing agreement.
    function cooperativeClose(
        address _receiver_address,
        uint32 _open_block_number,
        uint192 _balance,
        bytes calldata _balance_msg_sig,
        bytes calldata _closing_sig
    ) external {
        (bytes32 r, bytes32 vs) = _compact(_balance_msg_sig);
        (bytes32 key, address sender, ChannelRecord record) =
            _find(_receiver_address, _open_block_number, _balance, r, vs);
        if (!record.canClose(_open_block_number, _balance)) {
            _fail(_closeRefusal(record, _open_block_number, _balance));
        }
        if (msg.sender != _receiver_address || _closing_sig.length != 0) {
            if (!_isClosingAgreement(_receiver_address, sender, _open_block_number, _balance, _closing_sig)) {
                _fail(InvalidClosingSignature.selector);
            }
        }
        _settle(key, record, sender, _receiver_address, _open_block_number, _balance);
    }

    /// @notice Ends many channels of the caller with one transfer to it. An item that cannot be
    /// closed is skipped and reported by `BatchItemSkipped`.
    /// @param _items Balance proofs for the caller.
    function cooperativeCloseBatch(BalanceProofItem[] calldata _items) external {
        uint256 total;
        for (uint256 i; i < _items.length; ++i) {
            BalanceProofItem calldata item = _items[i];
            (bytes32 key, address sender, ChannelRecord record) =
                _find(msg.sender, item.open_block_number, item.balance, item.r, item.vs);
            if (!record.canClose(item.open_block_number, item.balance)) {
                emit BatchItemSkipped(i, _closeRefusal(record, item.open_block_number, item.balance));
                continue;
            }
            unchecked {
                // The balance is at most the deposit, and sums are of 72 bits each.
                total += _end(key, record, sender, msg.sender, item.open_block_number, item.balance);
                _pay(sender, record.deposit() - item.balance);
            }
        }
        _pay(msg.sender, total);
    }

    /// @notice The sender asks to close without the receiver: the challenge period begins.
    /// @param _receiver_address The channel's receiver.
    /// @param _open_block_number The block in which it was opened.
    /// @param _balance What the sender says it owes. The receiver, or anybody who has a higher
    /// balance proof, can answer until the challenge period ends.
    function uncooperativeClose(address _receiver_address, uint32 _open_block_number, uint192 _balance) external {
        bytes32 key = getKey(msg.sender, _receiver_address, _open_block_number);
        ChannelRecord record = ChannelRecords.load(key);
        if (record.isCloseRequested()) _fail(CloseRequested.selector);
        if (!record.canClose(_open_block_number, _balance)) {
            _fail(_closeRefusal(record, _open_block_number, _balance));
        }
        uint256 settleBlock;
        unchecked {
            settleBlock = block.number + challenge_period;
        }
        if (settleBlock > type(uint32).max) _fail(SettleBlockTooLarge.selector);
        record.closeRequested(_balance, settleBlock).store(key);
        emit ChannelCloseRequested(msg.sender, _receiver_address, _open_block_number, _balance);
    }

    /// @notice In the challenge period anybody may show a balance proof above the closing balance:
    /// the closing balance rises to it. The caller needs no signature of the receiver.
    /// @param _receiver_address The channel's receiver.
    /// @param _open_block_number The block in which it was opened.
    /// @param _balance The proof's balance.
    /// @param _balance_msg_sig The sender's balance proof, or a tick.
    function challenge(
        address _receiver_address,
        uint32 _open_block_number,
        uint192 _balance,
        bytes calldata _balance_msg_sig
    ) external {
        (bytes32 r, bytes32 vs) = _compact(_balance_msg_sig);
        (bytes32 key, address sender, ChannelRecord record) =
            _find(_receiver_address, _open_block_number, _balance, r, vs);
        if (!record.canChallenge(_balance)) _fail(_challengeRefusal(record, _balance));
        record.withClosingBalance(_balance).store(key);
        emit ChannelChallenged(sender, _receiver_address, _open_block_number, _balance);
    }

    /// @notice Ends one's own channel at its closing balance once the challenge period is over.
    /// @param _receiver_address The channel's receiver.
    /// @param _open_block_number The block in which it was opened.
    function settle(address _receiver_address, uint32 _open_block_number) external {
        settleFor(msg.sender, _receiver_address, _open_block_number);
    }

    /// @notice The same for any sender's channel; the tokens go where they belong all the same.
    /// @param _sender_address The channel's sender.
    /// @param _receiver_address The channel's receiver.
    /// @param _open_block_number The block in which it was opened.
    function settleFor(address _sender_address, address _receiver_address, uint32 _open_block_number) public {
        bytes32 key = getKey(_sender_address, _receiver_address, _open_block_number);
        ChannelRecord record = ChannelRecords.load(key);
        if (!record.canSettle()) {
            _fail(record.isCloseRequested() ? ChallengePeriodNotOver.selector : _notRequested(record));
        }
        _settle(
            key, record, _sender_address, _receiver_address, _open_block_number, record.closingBalance()
        );
    }

    /// @notice Collects what the token refused to pay to the caller when a channel ended.
    /// @param _recipient Where to, for example another account when the caller's own stays blocked.
    function collectCredit(address _recipient) external {
        _collect(msg.sender, _recipient);
    }

    /// @notice Pays an account's credit to that account; anybody may send this. For accounts that cannot call
    /// `collectCredit`, such as contracts with functions of their own only.
    /// @param _account Whose credit, and who is paid.
    function collectCreditFor(address _account) external {
        _collect(_account, _account);
    }

    // -------------------------------------------------------- trusted contracts

    /// @notice The owner trusts contracts to open and top up for other senders.
    /// @param _trusted_contracts Addresses; those without code are passed over.
    function addTrustedContracts(address[] memory _trusted_contracts) external {
        if (msg.sender != owner_address) _fail(NotOwner.selector);
        _addTrustedContracts(_trusted_contracts);
    }

    /// @notice The owner trusts contracts no longer.
    /// @param _trusted_contracts Addresses; those that are not trusted are passed over.
    function removeTrustedContracts(address[] memory _trusted_contracts) external {
        if (msg.sender != owner_address) _fail(NotOwner.selector);
        for (uint256 i; i < _trusted_contracts.length; ++i) {
            address trusted = _trusted_contracts[i];
            if (!trusted_contracts[trusted]) continue;
            trusted_contracts[trusted] = false;
            emit TrustedContract(trusted, false);
        }
    }

    // -------------------------------------------------------------------- views

    /// @notice All about one channel; reverts with `ChannelNotFound` when there is none.
    /// @param _sender_address The channel's sender.
    /// @param _receiver_address The channel's receiver.
    /// @param _open_block_number The block in which it was opened.
    /// @return Key, deposit, settle block, closing balance, withdrawn balance.
    function getChannelInfo(address _sender_address, address _receiver_address, uint32 _open_block_number)
        external
        view
        returns (bytes32, uint192, uint32, uint192, uint192)
    {
        bytes32 key = getKey(_sender_address, _receiver_address, _open_block_number);
        ChannelRecord record = ChannelRecords.load(key);
        if (!record.exists()) _fail(ChannelNotFound.selector);
        return (key, record.deposit(), record.settleBlock(), record.closingBalance(), record.withdrawn());
    }

    /// @notice A channel's deposit and open block by its key, zeros when there is none. Once a close
    /// is requested the open block reads 0: its bits then hold the end of the challenge period.
    /// @param _key From `getKey`.
    function channels(bytes32 _key) external view returns (uint192 deposit, uint32 open_block_number) {
        ChannelRecord record = ChannelRecords.load(_key);
        return (record.deposit(), record.openBlock());
    }

    /// @notice A requested close by the channel's key, zeros when there is none.
    /// @param _key From `getKey`.
    function closing_requests(bytes32 _key)
        external
        view
        returns (uint192 closing_balance, uint32 settle_block_number)
    {
        ChannelRecord record = ChannelRecords.load(_key);
        return (record.closingBalance(), record.settleBlock());
    }

    /// @notice What the receiver has withdrawn so far, by the channel's key.
    /// @param _key From `getKey`.
    function withdrawn_balances(bytes32 _key) external view returns (uint192) {
        return ChannelRecords.load(_key).withdrawn();
    }

    /// @notice The key of a channel: keccak256(sender ‖ receiver ‖ open block).
    /// @param _sender_address The channel's sender.
    /// @param _receiver_address The channel's receiver.
    /// @param _open_block_number The block in which it was opened.
    function getKey(address _sender_address, address _receiver_address, uint32 _open_block_number)
        public
        pure
        returns (bytes32 data)
    {
        assembly ("memory-safe") {
            // The 44 bytes end at 0x40: the scratch space is enough. Bits above an address end where
            // the next word overwrites them, or before the hashed bytes.
            mstore(0x20, or(shl(32, _receiver_address), and(_open_block_number, 0xffffffff)))
            mstore(0x08, _sender_address)
            data := keccak256(0x14, 44)
        }
    }

    // ------------------------------------------------------------------ private

    /// @dev Zero is what a signature of nobody recovers to, so it must not be a sender: whoever signed nothing would
    /// be one. The other ways to open have a sender that called, signed, or had the tokens.
    function _requireTrusted(address caller, address sender) private view {
        if (!trusted_contracts[caller]) _fail(NotTrusted.selector);
        if (sender == address(0) || sender == token || sender == address(this)) _fail(InvalidSender.selector);
    }

    function _open(address sender, address receiver, uint256 deposit) private {
        address token_ = token;
        uint256 openUntil = _openUntil;
        bool amiss;
        assembly ("memory-safe") {
            // All in one condition; which of them it is is asked when it fails. A deposit of 0 wraps.
            let unpayable := or(iszero(receiver), or(eq(receiver, token_), eq(receiver, address())))
            let beyond := or(gt(sub(deposit, 1), 0xfffffffffffffffffe), iszero(lt(number(), openUntil)))
            amiss := or(unpayable, beyond)
        }
        if (amiss) _fail(_openRefusal(receiver, deposit));
        bytes32 key = getKey(sender, receiver, uint32(block.number));
        if (ChannelRecords.load(key).exists()) _fail(ChannelExists.selector);
        ChannelRecords.opened(deposit, block.number).store(key);
        emit ChannelCreated(sender, receiver, uint192(deposit));
    }

    function _openRefusal(address receiver, uint256 deposit) private view returns (bytes4) {
        if (receiver == address(0) || receiver == token || receiver == address(this)) {
            return InvalidReceiver.selector;
        }
        if (deposit == 0) return ZeroAmount.selector;
        if (deposit > ChannelRecords.MAX_AMOUNT) return DepositTooLarge.selector;
        return SettleBlockTooLarge.selector;
    }

    function _topUp(address sender, address receiver, uint32 openBlock, uint256 added) private {
        bytes32 key = getKey(sender, receiver, openBlock);
        ChannelRecord record = ChannelRecords.load(key);
        bool fits;
        uint256 deposit = record.deposit();
        unchecked {
            fits = added - 1 < ChannelRecords.MAX_AMOUNT - deposit; // 0 wraps
        }
        if (!record.isOpen()) _fail(_notOpen(record));
        if (!fits) _fail(added == 0 ? ZeroAmount.selector : DepositTooLarge.selector);
        unchecked {
            record.withDeposit(deposit + added).store(key);
        }
        emit ChannelToppedUp(sender, receiver, openBlock, uint192(added));
    }

    /// @dev Takes exactly `amount` from `from`. A callback of the token cannot open or top up
    /// meanwhile, so tokens that arrive are counted once.
    function _pull(address from, uint256 amount) private {
        if (_pulling != 0) _fail(Reentrancy.selector);
        _pulling = 1;
        address token_ = token;
        bool moved;
        bool exact;
        assembly ("memory-safe") {
            // balanceOf(address): the address stays at 0x20 for the second time.
            mstore(0x14, address())
            mstore(0x00, 0x70a08231000000000000000000000000)
            let ok := staticcall(gas(), token_, 0x10, 0x24, 0x00, 0x20)
            let expected := add(amount, mul(mload(0x00), and(gt(returndatasize(), 0x1f), ok)))
            // transferFrom(address,address,uint256); a token that returns nothing reverts when it refuses.
            let m := mload(0x40)
            mstore(m, 0x23b872dd00000000000000000000000000000000000000000000000000000000)
            mstore(add(m, 0x04), from)
            mstore(add(m, 0x24), address())
            mstore(add(m, 0x44), amount)
            moved := call(gas(), token_, 0, m, 0x64, 0x00, 0x20)
            moved := and(moved, or(iszero(returndatasize()), and(gt(returndatasize(), 0x1f), eq(mload(0x00), 1))))
            mstore(0x00, 0x70a08231000000000000000000000000)
            ok := staticcall(gas(), token_, 0x10, 0x24, 0x00, 0x20)
            exact := eq(expected, mul(mload(0x00), and(gt(returndatasize(), 0x1f), ok)))
        }
        if (!moved) _fail(TransferFromFailed.selector);
        if (!exact) _fail(UnexpectedTransferAmount.selector);
        _pulling = 0;
    }

    /// @dev The same by an authorization over these terms; only its payee, this contract, can use it (EIP-3009).
    function _pullWithAuthorization(uint256 amount, bytes memory terms, bytes calldata authorization) private {
        if (_pulling != 0) _fail(Reentrancy.selector);
        _pulling = 1;
        uint256 expected = SafeTransferLib.balanceOf(token, address(this)) + amount;
        bytes memory message = authorization.length == 65
            ? abi.encodePacked(
                RECEIVE_WITH_SIGNATURE,
                terms,
                uint256(uint8(authorization[64])),
                authorization[:64]
            )
            : abi.encodePacked(
                RECEIVE_WITH_BYTES, terms, uint256(7 * 32), authorization.length, authorization, new bytes(31)
            );
        (bool moved,) = token.call(message);
        if (!moved) _fail(TransferFromFailed.selector);
        if (SafeTransferLib.balanceOf(token, address(this)) != expected) _fail(UnexpectedTransferAmount.selector);
        _pulling = 0;
    }

    /// @dev A permit that fails may have been used by somebody in front of us; if it was really bad,
    /// pulling the tokens fails next.
    function _usePermit(address owner, uint256 value, uint256 deadline, Permit calldata permit) private {
        if (permit.v == 0) return;
        try IPermitToken(token).permit(owner, address(this), value, deadline, permit.v, permit.r, permit.s) {} catch {}
    }

    function _requireSender(address sender, bytes32 digest, uint256 deadline, bytes calldata signature)
        private
        view
    {
        if (block.timestamp > deadline) _fail(DeadlinePassed.selector);
        (bytes32 r, bytes32 vs) = _compact(signature);
        if (sender == address(0) || _recover(digest, r, vs) != sender) _fail(InvalidSenderSignature.selector);
    }

    /// @dev The channel whose sender signed this balance proof; a record of zero when there is none.
    /// The form that binds the chain comes first, the form of 0.2 second. With an r of zero it is a tick.
    function _find(address receiver, uint32 openBlock, uint192 balance, bytes32 r, bytes32 vs)
        private
        view
        returns (bytes32 key, address sender, ChannelRecord record)
    {
        if (r == 0) return _findByTick(receiver, openBlock, balance, uint256(vs));
        sender = _recover(_typedBalanceProof(receiver, openBlock, balance), r, vs);
        key = getKey(sender, receiver, openBlock);
        record = ChannelRecords.load(key);
        if (!record.exists()) {
            sender = _recover(_seedBalanceProof(receiver, openBlock, balance), r, vs);
            key = getKey(sender, receiver, openBlock);
            record = ChannelRecords.load(key);
        }
    }

    /// @dev The channel whose sender signed the `TickProof` of this tick: no other form is tried.
    function _findByTick(address receiver, uint32 openBlock, uint192 balance, uint256 offset)
        private
        view
        returns (bytes32 key, address sender, ChannelRecord record)
    {
        sender = _recoverTick(receiver, openBlock, balance, offset);
        key = getKey(sender, receiver, openBlock);
        record = ChannelRecords.load(key);
    }

    /// @dev Why this channel cannot be closed at this balance, as an error's selector. Asked when it cannot.
    function _closeRefusal(ChannelRecord record, uint32 openBlock, uint192 balance) private view returns (bytes4) {
        if (!record.exists()) return ChannelNotFound.selector;
        if (block.number == openBlock) return OpenedInThisBlock.selector;
        if (balance > record.deposit()) return BalanceOverDeposit.selector;
        return BalanceUnderWithdrawn.selector;
    }

    /// @dev Why a close request cannot be answered with this balance. Asked when it cannot.
    function _challengeRefusal(ChannelRecord record, uint192 balance) private view returns (bytes4) {
        if (!record.isCloseRequested()) return _notRequested(record);
        if (block.number > record.settleBlock()) return ChallengePeriodOver.selector;
        if (balance > record.deposit()) return BalanceOverDeposit.selector;
        return BalanceNotHigher.selector;
    }

    /// @dev Why a channel has no close request.
    function _notRequested(ChannelRecord record) private pure returns (bytes4) {
        return record.exists() ? CloseNotRequested.selector : ChannelNotFound.selector;
    }

    /// @dev Why a channel that is not open is not.
    function _notOpen(ChannelRecord record) private pure returns (bytes4) {
        return record.exists() ? CloseRequested.selector : ChannelNotFound.selector;
    }

    /// @dev Books a withdrawal of the caller; the amount to pay, or why not.
    function _withdraw(uint32 openBlock, uint192 balance, bytes32 r, bytes32 vs)
        private
        returns (uint256 amount, bytes4 refusal)
    {
        (bytes32 key, address sender, ChannelRecord record) = _find(msg.sender, openBlock, balance, r, vs);
        if (!record.canWithdraw(balance)) {
            if (!record.isOpen()) return (0, _notOpen(record));
            return (0, balance > record.deposit() ? BalanceOverDeposit.selector : BalanceNotHigher.selector);
        }
        unchecked {
            amount = balance - record.withdrawn();
        }
        record.withWithdrawn(balance).store(key);
        emit ChannelWithdraw(sender, msg.sender, openBlock, uint192(amount));
    }

    function _settle(
        bytes32 key,
        ChannelRecord record,
        address sender,
        address receiver,
        uint32 openBlock,
        uint192 balance
    ) private {
        uint192 receiverTokens = _end(key, record, sender, receiver, openBlock, balance);
        _pay(receiver, receiverTokens);
        unchecked {
            _pay(sender, record.deposit() - balance); // every caller has checked: not over the deposit
        }
    }

    /// @dev Forgets the channel before anything is paid. Returns what the receiver is still due.
    function _end(
        bytes32 key,
        ChannelRecord record,
        address sender,
        address receiver,
        uint32 openBlock,
        uint192 balance
    ) private returns (uint192 receiverTokens) {
        unchecked {
            receiverTokens = balance - record.withdrawn(); // every caller has checked: not under it
        }
        ChannelRecord.wrap(0).store(key);
        emit ChannelSettled(sender, receiver, openBlock, balance, receiverTokens);
    }

    /// @dev Pays, or credits when the token refuses this account or needs too much gas, so that it cannot block the
    /// others. With less gas than the most a call gets all but a 64th of what there is.
    function _pay(address to, uint256 amount) private {
        if (amount == 0) return;
        address token_ = token;
        bool paid;
        assembly ("memory-safe") {
            // transfer(address,uint256); a token that returns nothing reverts when it refuses, others
            // say true. Not more than a word of what it returns is looked at.
            mstore(0x00, 0xa9059cbb000000000000000000000000)
            mstore(0x14, to)
            mstore(0x34, amount)
            paid := call(PAYOUT_GAS, token_, 0, 0x10, 0x44, 0x00, 0x20)
            paid := and(paid, or(iszero(returndatasize()), and(gt(returndatasize(), 0x1f), eq(mload(0x00), 1))))
            mstore(0x34, 0)
        }
        if (paid) return;
        credits[to] += amount;
        emit PayoutCredited(to, amount);
    }

    function _collect(address account, address recipient) private {
        uint256 amount = credits[account];
        if (amount == 0) _fail(NoCredit.selector);
        delete credits[account];
        emit CreditCollected(account, recipient, amount);
        SafeTransferLib.safeTransfer(token, recipient, amount);
    }

    function _addTrustedContracts(address[] memory list) private {
        for (uint256 i; i < list.length; ++i) {
            if (list[i].code.length == 0) continue;
            trusted_contracts[list[i]] = true;
            emit TrustedContract(list[i], true);
        }
    }

    /// @dev Reverts with an error that has no arguments, in fewer bytes of code than `revert` takes.
    function _fail(bytes4 reason) private pure {
        assembly ("memory-safe") {
            mstore(0x00, reason)
            revert(0x00, 0x04)
        }
    }
}
