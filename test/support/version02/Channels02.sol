// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

interface IToken {
    function transfer(address to, uint256 value) external returns (bool);
    function transferFrom(address from, address to, uint256 value) external returns (bool);
}

/// @notice A contract of version 0.2 as its documents describe it, for tests that our programs work with
/// one: the same interface, signatures of the seed's form in 65 bytes only, both signatures for every
/// cooperative close, settlement by the sender alone, one transfer to each side. None of its flaws is
/// imitated on purpose and none is repaired.
contract Channels02 {
    struct Channel {
        uint192 deposit;
        uint32 openBlock;
    }

    struct ClosingRequest {
        uint192 balance;
        uint32 settleBlock;
    }

    string public constant version = "0.2.0";
    IToken public immutable token;
    uint32 public immutable challenge_period;

    mapping(bytes32 => Channel) public channels;
    mapping(bytes32 => ClosingRequest) public closing_requests;
    mapping(bytes32 => uint192) public withdrawn_balances;

    event ChannelCreated(address indexed _sender_address, address indexed _receiver_address, uint192 _deposit);
    event ChannelToppedUp(
        address indexed _sender_address,
        address indexed _receiver_address,
        uint32 indexed _open_block_number,
        uint192 _added_deposit
    );
    event ChannelCloseRequested(
        address indexed _sender_address,
        address indexed _receiver_address,
        uint32 indexed _open_block_number,
        uint192 _balance
    );
    event ChannelSettled(
        address indexed _sender_address,
        address indexed _receiver_address,
        uint32 indexed _open_block_number,
        uint192 _balance,
        uint192 _receiver_tokens
    );
    event ChannelWithdraw(
        address indexed _sender_address,
        address indexed _receiver_address,
        uint32 indexed _open_block_number,
        uint192 _withdrawn_balance
    );

    constructor(address _token, uint32 _challenge_period) {
        token = IToken(_token);
        challenge_period = _challenge_period;
    }

    function tokenFallback(address from, uint256 value, bytes calldata data) external {
        require(msg.sender == address(token));
        require(data.length == 40 || data.length == 44);
        require(address(bytes20(data[:20])) == from);
        address receiver = address(bytes20(data[20:40]));
        if (data.length == 40) _open(from, receiver, uint192(value));
        else _topUp(from, receiver, uint32(bytes4(data[40:])), uint192(value));
    }

    function createChannel(address _receiver_address, uint192 _deposit) external {
        _open(msg.sender, _receiver_address, _deposit);
        require(token.transferFrom(msg.sender, address(this), _deposit));
    }

    function topUp(address _receiver_address, uint32 _open_block_number, uint192 _added_deposit) external {
        _topUp(msg.sender, _receiver_address, _open_block_number, _added_deposit);
        require(token.transferFrom(msg.sender, address(this), _added_deposit));
    }

    function withdraw(uint32 _open_block_number, uint192 _balance, bytes calldata _balance_msg_sig) external {
        address sender = extractBalanceProofSignature(msg.sender, _open_block_number, _balance, _balance_msg_sig);
        bytes32 key = getKey(sender, msg.sender, _open_block_number);
        require(channels[key].openBlock > 0 && closing_requests[key].settleBlock == 0);
        require(_balance <= channels[key].deposit && withdrawn_balances[key] < _balance);
        uint192 rest = _balance - withdrawn_balances[key];
        withdrawn_balances[key] = _balance;
        require(token.transfer(msg.sender, rest));
        emit ChannelWithdraw(sender, msg.sender, _open_block_number, _balance);
    }

    function cooperativeClose(
        address _receiver_address,
        uint32 _open_block_number,
        uint192 _balance,
        bytes calldata _balance_msg_sig,
        bytes calldata _closing_sig
    ) external {
        address sender =
            extractBalanceProofSignature(_receiver_address, _open_block_number, _balance, _balance_msg_sig);
        address receiver = extractClosingSignature(sender, _open_block_number, _balance, _closing_sig);
        require(receiver == _receiver_address);
        _settle(sender, receiver, _open_block_number, _balance);
    }

    function uncooperativeClose(address _receiver_address, uint32 _open_block_number, uint192 _balance) external {
        bytes32 key = getKey(msg.sender, _receiver_address, _open_block_number);
        require(channels[key].openBlock > 0 && closing_requests[key].settleBlock == 0);
        require(_balance <= channels[key].deposit);
        closing_requests[key] = ClosingRequest(_balance, uint32(block.number) + challenge_period);
        emit ChannelCloseRequested(msg.sender, _receiver_address, _open_block_number, _balance);
    }

    function settle(address _receiver_address, uint32 _open_block_number) external {
        bytes32 key = getKey(msg.sender, _receiver_address, _open_block_number);
        require(closing_requests[key].settleBlock > 0 && block.number > closing_requests[key].settleBlock);
        _settle(msg.sender, _receiver_address, _open_block_number, closing_requests[key].balance);
    }

    function getChannelInfo(address _sender_address, address _receiver_address, uint32 _open_block_number)
        external
        view
        returns (bytes32, uint192, uint32, uint192, uint192)
    {
        bytes32 key = getKey(_sender_address, _receiver_address, _open_block_number);
        require(channels[key].openBlock > 0);
        ClosingRequest memory request = closing_requests[key];
        return (key, channels[key].deposit, request.settleBlock, request.balance, withdrawn_balances[key]);
    }

    function getKey(address _sender_address, address _receiver_address, uint32 _open_block_number)
        public
        pure
        returns (bytes32)
    {
        return keccak256(abi.encodePacked(_sender_address, _receiver_address, _open_block_number));
    }

    function extractBalanceProofSignature(
        address _receiver_address,
        uint32 _open_block_number,
        uint192 _balance,
        bytes calldata _balance_msg_sig
    ) public view returns (address) {
        bytes32 types = keccak256(
            abi.encodePacked(
                "string message_id",
                "address receiver",
                "uint32 block_created",
                "uint192 balance",
                "address contract"
            )
        );
        bytes32 values = keccak256(
            abi.encodePacked(
                "Sender balance proof signature", _receiver_address, _open_block_number, _balance, address(this)
            )
        );
        return _recover(keccak256(abi.encodePacked(types, values)), _balance_msg_sig);
    }

    function extractClosingSignature(
        address _sender_address,
        uint32 _open_block_number,
        uint192 _balance,
        bytes calldata _closing_sig
    ) public view returns (address) {
        bytes32 types = keccak256(
            abi.encodePacked(
                "string message_id",
                "address sender",
                "uint32 block_created",
                "uint192 balance",
                "address contract"
            )
        );
        bytes32 values = keccak256(
            abi.encodePacked(
                "Receiver closing signature", _sender_address, _open_block_number, _balance, address(this)
            )
        );
        return _recover(keccak256(abi.encodePacked(types, values)), _closing_sig);
    }

    function _recover(bytes32 hash, bytes calldata signature) private pure returns (address signer) {
        require(signature.length == 65);
        uint8 v = uint8(signature[64]);
        signer = ecrecover(hash, v < 27 ? v + 27 : v, bytes32(signature[:32]), bytes32(signature[32:64]));
        require(signer != address(0));
    }

    function _open(address sender, address receiver, uint192 deposit) private {
        bytes32 key = getKey(sender, receiver, uint32(block.number));
        require(channels[key].deposit == 0 && closing_requests[key].settleBlock == 0);
        channels[key] = Channel(deposit, uint32(block.number));
        emit ChannelCreated(sender, receiver, deposit);
    }

    function _topUp(address sender, address receiver, uint32 openBlock, uint192 added) private {
        bytes32 key = getKey(sender, receiver, openBlock);
        require(added > 0 && channels[key].openBlock > 0 && closing_requests[key].settleBlock == 0);
        channels[key].deposit += added;
        emit ChannelToppedUp(sender, receiver, openBlock, added);
    }

    function _settle(address sender, address receiver, uint32 openBlock, uint192 balance) private {
        bytes32 key = getKey(sender, receiver, openBlock);
        Channel memory channel = channels[key];
        require(channel.openBlock > 0 && balance <= channel.deposit);
        uint192 rest = balance - withdrawn_balances[key];
        delete channels[key];
        delete closing_requests[key];
        require(token.transfer(receiver, rest));
        require(token.transfer(sender, channel.deposit - balance));
        emit ChannelSettled(sender, receiver, openBlock, balance, rest);
    }
}
