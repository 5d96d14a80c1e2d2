# The loop in which purebp asks mine.jl for gradients, in the line dialect of docs/wire-format.md.
# Fill in what stands between YOURS and END OF YOURS; the rest can stay as it is.
#
#     purebp check -- julia mine_purebp.jl

const ANSWERS = stdout
redirect_stdout(stderr) # what else is printed is no answer

"Row j of the weights feeds neuron j; biases are `nothing` where there are none."
struct Layer
    weights::Matrix{Float64}
    biases::Union{Vector{Float64},Nothing}
    activation::String
end

"Of one layer, in its shapes."
struct Gradient
    weights::Matrix{Float64}
    biases::Union{Vector{Float64},Nothing}
end

"Why there are no gradients."
struct Unsupported <: Exception
    why::String
end

# ---- YOURS --------------------------------------------------------------------------------------------------------

# What your function computes; what is left out is found by trying. Say more behind the name, such as
# activations=tanh,identity loss=mse returns=gradients sizes=2,3,1 batch=1 biases=false
const HELLO = "hello 1 mine language=Julia"

module Mine # its names are Mine.backprop and so on
include("mine.jl")
end

# The gradients of the loss over all samples, a Gradient for each layer: inputs[s, :] and targets[s, :] are those of
# sample s; loss, and the activation of each layer, are names such as "mse" and "tanh", if you can compute more than
# one. Call your function in place of what stands here.
function gradients(layers, inputs, targets, loss)
    throw(Unsupported("mine_purebp.jl does not call your function yet: do so in gradients()"))
end

# ---- END OF YOURS -------------------------------------------------------------------------------------------------

size_of(words) = parse(Int, popfirst!(words))

"The numbers come row by row, and lie column by column in memory."
function matrix(words, rows, columns)
    return permutedims(reshape([parse(Float64, popfirst!(words)) for _ in 1:(rows * columns)], columns, rows))
end

"What is answered to a request, from its number of layers on."
function answer(words)
    depth = size_of(words)
    sizes = [size_of(words) for _ in 0:depth]
    samples, loss = size_of(words), popfirst!(words)
    popfirst!(words) # the learning rate
    layers = Layer[]
    for (n_in, n_out) in zip(sizes, sizes[2:end])
        activation, has_biases = popfirst!(words), popfirst!(words) == "1"
        weights = matrix(words, n_out, n_in)
        push!(layers, Layer(weights, has_biases ? vec(matrix(words, 1, n_out)) : nothing, activation))
    end
    inputs = matrix(words, samples, sizes[1])
    targets = matrix(words, samples, sizes[end])
    said = ["gradients"]
    for gradient in gradients(layers, inputs, targets, loss)
        append!(said, string.(vec(permutedims(gradient.weights))))
        isnothing(gradient.biases) || append!(said, string.(gradient.biases))
    end
    return join(said, " ")
end

function main(answers)
    for line in eachline(stdin)
        words = String.(split(line))
        said = HELLO
        if popfirst!(words) == "run"
            id = popfirst!(words)
            try
                said = "$id $(answer(words))"
            catch error
                error isa Unsupported || rethrow()
                said = "$id skip $(error.why)"
            end
        end
        println(answers, said)
        flush(answers)
    end
end

main(ANSWERS)
