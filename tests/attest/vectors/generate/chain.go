package main

import (
	"fmt"
	"time"

	abci "github.com/cometbft/cometbft/abci/types"
	"github.com/cometbft/cometbft/crypto/ed25519"
	"github.com/cometbft/cometbft/state"
	"github.com/cometbft/cometbft/types"
)

// setOf makes validators with the given powers and keeps their keys by address.
func setOf(label string, powers []int64) (*types.ValidatorSet, map[string]ed25519.PrivKey) {
	keys := map[string]ed25519.PrivKey{}
	vals := []*types.Validator{}
	for i, power := range powers {
		key := keyOf(fmt.Sprintf("%s/%d", label, i))
		keys[string(key.PubKey().Address())] = key
		vals = append(vals, types.NewValidator(key.PubKey(), power))
	}
	return types.NewValidatorSet(vals), keys
}

func setJSON(vals *types.ValidatorSet) []object {
	out := []object{}
	for _, v := range vals.Validators {
		out = append(out, object{"public_key": hx(v.PubKey.Bytes()), "power": v.VotingPower, "address": hx(v.Address)})
	}
	return out
}

func validatorSets() []object {
	cases := []object{}
	for _, each := range []struct {
		says   string
		powers []int64
	}{
		{"one validator", []int64{1}},
		{"four of equal power: ordered by address", []int64{10, 10, 10, 10}},
		{"seven of several powers: ordered by power, then by address", []int64{1, 5, 3, 5, 1 << 40, 3, 1}},
	} {
		vals, _ := setOf("set", each.powers)
		given := []object{}
		for i, power := range each.powers {
			key := keyOf(fmt.Sprintf("set/%d", i))
			given = append(given, object{"public_key": hx(key.PubKey().Bytes()), "power": power})
		}
		cases = append(cases, object{
			"description": each.says, "given": given, "ordered": setJSON(vals), "total_power": vals.TotalVotingPower(), "hash": hx(vals.Hash()),
		})
	}
	return cases
}

func txsOf(count, size int) types.Txs {
	txs := types.Txs{}
	for i := 0; i < count; i++ {
		txs = append(txs, bytesOf(fmt.Sprintf("tx%d", i), size+i))
	}
	return txs
}

func txsJSON(txs types.Txs) []string {
	out := []string{}
	for _, tx := range txs {
		out = append(out, hx(tx))
	}
	return out
}

func dataHashes() []object {
	cases := []object{}
	for _, count := range []int{0, 1, 2, 3, 5, 8, 13} {
		txs := txsOf(count, 20)
		cases = append(cases, object{
			"description": fmt.Sprintf("%d transactions", count), "transactions": txsJSON(txs), "hash": hx(txs.Hash()),
		})
	}
	return cases
}

func blocks() []object {
	vals, keys := setOf("block", []int64{3, 2, 1})
	cases := []object{}
	for _, each := range []struct {
		says        string
		height      int64
		count, size int
	}{
		{"the first block, empty, with the empty commit", 1, 0, 0},
		{"a block of two transactions after a commit: one part", 2, 2, 100},
		{"one transaction of 70,000 bytes: two parts", 3, 1, 70_000},
		{"five transactions of 40,000 bytes: four parts", 4, 5, 40_000},
	} {
		last := &types.Commit{}
		if each.height > 1 {
			last = commitOf("keymoot-blocks", each.height-1, 0, idOf("last", 1), vals, keys, "ccc")
		}
		block := types.MakeBlock(each.height, txsOf(each.count, each.size), last, nil)
		h := headerOf("keymoot-blocks", each.height, at(1_795_000_000+each.height, 0), vals)
		h.DataHash, h.LastCommitHash, h.EvidenceHash = block.DataHash, block.LastCommitHash, block.EvidenceHash
		block.Header = h
		parts, err := block.MakePartSet(types.BlockPartSizeBytes)
		check(err)
		raw, err := last.ToProto().Marshal()
		check(err)
		cases = append(cases, object{
			"description": each.says, "header": headerJSON(h), "transactions_count": each.count, "transactions_size": each.size,
			"transactions_hash": hx(block.DataHash), "last_commit": hx(raw), "last_commit_hash": hx(last.Hash()),
			"size_bytes": parts.ByteSize(), "block_id": idJSON(types.BlockID{Hash: block.Hash(), PartSetHeader: parts.Header()}),
		})
	}
	return cases
}

func results() []object {
	cases := []object{}
	all := []*abci.ExecTxResult{
		{Code: 0, Data: []byte("ok"), GasWanted: 21_000, GasUsed: 21_000},
		{Code: 1, Data: nil, Log: "left out", GasWanted: 1 << 40, GasUsed: 3, Codespace: "left out"},
		{},
		{Code: 4_294_967_295, Data: bytesOf("result", 100), GasWanted: -1, GasUsed: 0},
	}
	for count := 0; count <= len(all); count++ {
		list := []object{}
		for _, r := range all[:count] {
			list = append(list, object{"code": r.Code, "data": hx(r.Data), "gas_wanted": r.GasWanted, "gas_used": r.GasUsed})
		}
		cases = append(cases, object{
			"description": fmt.Sprintf("%d results", count), "results": list, "hash": hx(types.NewResults(all[:count]).Hash()),
		})
	}
	return cases
}

func params() []object {
	cases := []object{}
	for _, each := range [][2]int64{{4_194_304, 10_000_000}, {104_857_600, -1}, {1, 0}} {
		p := types.DefaultConsensusParams()
		p.Block.MaxBytes, p.Block.MaxGas = each[0], each[1]
		cases = append(cases, object{
			"description": fmt.Sprintf("blocks of at most %d bytes and %d gas", each[0], each[1]), "max_bytes": each[0], "max_gas": each[1], "hash": hx(p.Hash()),
		})
	}
	return cases
}

// commitOf signs as the letters of how say, one a validator: c commit, n nil,
// a absent, x commit with a broken signature.
func commitOf(chain string, height int64, round int32, id types.BlockID, vals *types.ValidatorSet, keys map[string]ed25519.PrivKey, how string) *types.Commit {
	commit := &types.Commit{Height: height, Round: round, BlockID: id}
	for i, v := range vals.Validators {
		if how[i] == 'a' {
			commit.Signatures = append(commit.Signatures, types.NewCommitSigAbsent())
			continue
		}
		sig := types.CommitSig{BlockIDFlag: types.BlockIDFlagCommit, ValidatorAddress: v.Address, Timestamp: at(1_795_000_100+int64(i), int64(i)*1_000)}
		if how[i] == 'n' {
			sig.BlockIDFlag = types.BlockIDFlagNil
		}
		commit.Signatures = append(commit.Signatures, sig)
		signed, err := keys[string(v.Address)].Sign(commit.VoteSignBytes(chain, int32(i)))
		check(err)
		if how[i] == 'x' {
			signed[7] ^= 1
		}
		commit.Signatures[i].Signature = signed
	}
	return commit
}

func commits() []object {
	cases := []object{}
	for _, each := range []struct {
		says   string
		powers []int64
		how    string
	}{
		{"one validator, signed", []int64{1}, "c"},
		{"four validators, all signed", []int64{1, 1, 1, 1}, "cccc"},
		{"three of four signed, one absent: more than two thirds", []int64{1, 1, 1, 1}, "ccac"},
		{"three of four signed, one voted nil: more than two thirds", []int64{1, 1, 1, 1}, "cncc"},
		{"two of three: exactly two thirds is too little", []int64{1, 1, 1}, "cca"},
		{"two of four signed, two voted nil: too little", []int64{1, 1, 1, 1}, "cnnc"},
		{"a validator with most of the power signs alone", []int64{10, 1, 1}, "caa"},
		{"the small ones cannot do without the large one", []int64{10, 1, 1}, "acc"},
		{"a broken signature among those that are needed", []int64{1, 1, 1, 1}, "cxca"},
		{"the only signature is broken", []int64{1}, "x"},
	} {
		chain := "keymoot-commits"
		vals, keys := setOf("commit", each.powers)
		h := headerOf(chain, 12, at(1_795_000_099, 5), vals)
		id := types.BlockID{Hash: h.Hash(), PartSetHeader: types.PartSetHeader{Total: 1, Hash: hash("parts")}}
		commit := commitOf(chain, 12, 1, id, vals, keys, each.how)
		raw, err := (&types.SignedHeader{Header: &h, Commit: commit}).ToProto().Marshal()
		check(err)
		commitRaw, err := commit.ToProto().Marshal()
		check(err)
		signs := []string{}
		for i := range commit.Signatures {
			signs = append(signs, hx(commit.VoteSignBytes(chain, int32(i))))
		}
		light := types.VerifyCommitLight(chain, vals, id, 12, commit)
		full := types.VerifyCommit(chain, vals, id, 12, commit)
		cases = append(cases, object{
			"description": each.says, "chain_id": chain, "validators": setJSON(vals), "signed_header": hx(raw), "commit": hx(commitRaw),
			"commit_hash": hx(commit.Hash()), "sign_bytes": signs, "verify_commit_light": light == nil, "verify_commit": full == nil,
		})
	}
	return cases
}

func medianTimes() []object {
	cases := []object{}
	for _, each := range []struct {
		says   string
		powers []int64
		times  []int64
	}{
		{"one vote", []int64{1}, []int64{10}},
		{"four equal votes", []int64{1, 1, 1, 1}, []int64{40, 10, 30, 20}},
		{"a heavy vote decides", []int64{10, 1, 1, 1}, []int64{99, 10, 20, 30}},
		{"absent votes (0) count for nothing", []int64{3, 2, 2, 1}, []int64{0, 50, 20, 70}},
	} {
		vals, keys := setOf("median", each.powers)
		how := ""
		for _, t := range each.times {
			how += map[bool]string{true: "a", false: "c"}[t == 0]
		}
		commit := commitOf("keymoot-times", 5, 0, idOf("times", 1), vals, keys, how)
		for i, t := range each.times {
			if t != 0 {
				commit.Signatures[i].Timestamp = time.Unix(1_795_000_000+t, t).UTC()
			}
		}
		median, err := state.MedianTime(commit, vals)
		check(err)
		raw, err := commit.ToProto().Marshal()
		check(err)
		cases = append(cases, object{
			"description": each.says, "validators": setJSON(vals), "commit": hx(raw), "median": timeOf(median),
		})
	}
	return cases
}

